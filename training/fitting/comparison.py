"""Compares a new version with the one that it replaces, on the same examples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.data.examples import Examples
from training.errors import WorseModelError
from training.exporting.repository import latest_version, versions
from training.exporting.restore import load_saved_model
from training.zoo.objective import Objective


@dataclass(frozen=True)
class Comparison:
    """The quality of a new version beside that of the version it replaces.

    Attributes:
        objective: The training objective, which names the quality.
        new: Quality of the new version.
        replaced: Folder of the version that it replaces; None for the first version of a model.
        old: Quality of the replaced version.
    """

    objective: Objective
    new: float
    replaced: Path | None = None
    old: float | None = None

    @property
    def is_worse(self) -> bool:
        """True if the new version is worse than the one that it replaces."""
        return self.old is not None and self.objective.is_worse(self.new, self.old)

    def __str__(self) -> str:
        new = f"validation {self.objective.quality} {self.new:#.4g}"
        return new if self.old is None else f"{new}, {self.old:#.4g} in {self.replaced}"


def compare(
    models: Path, name: str, version: Path, objective: Objective, validation: Examples
) -> Comparison:
    """Measures a version that is to become a model's next one, and the model's latest version.

    Args:
        models: The model repository.
        name: Name of the model.
        version: The folder of the new version.
        objective: The training objective.
        validation: The validation set.
    """
    new = objective.measure(load_saved_model(version).signatures, validation)
    if not versions(models, name):
        return Comparison(objective, new)
    replaced = latest_version(models, name)
    old = objective.measure(load_saved_model(replaced).signatures, validation)
    return Comparison(objective, new, replaced, old)


def refuse_worse(comparison: Comparison, name: str, run_folder: Path) -> None:
    """Raises an error if a new version is worse than the one that it would replace.

    Raises:
        WorseModelError: It is; the message says how to publish it nevertheless.
    """
    if comparison.is_worse:
        raise WorseModelError(
            f"The trained network is worse than the version it would replace: {comparison}. "
            f"Nothing was published, and {run_folder} keeps the training: repeat the command with "
            f"--name {name}_try to publish it beside {name}, or with --publish-worse to replace "
            "the better version."
        )
