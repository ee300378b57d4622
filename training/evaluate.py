"""Measures an exported version: its SavedModel as it lies in the repository, not Keras weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.data import Split
from training.objective import Objective
from training.repository import versions
from training.restore import load_saved_model
from training.zoo import NETWORKS
from training.zoo.network import Network


@dataclass(frozen=True)
class Measurement:
    """What was measured of a version.

    Attributes:
        quality: What the objective measures, such as the accuracy.
        parameters: Numbers in its weights.
        size: Bytes of its folder.
    """

    quality: float
    parameters: int
    size: int


def trained_networks(models: Path) -> list[Network]:
    """Returns the networks of which a repository holds a version, in the order of the zoo."""
    return [entry for entry in NETWORKS.values() if versions(models, entry.name)]


def measure(version: Path, objective: Objective, examples: Split) -> Measurement:
    """Measures a version.

    Args:
        version: The folder of its SavedModel.
        objective: What it was trained for.
        examples: What to measure it on.

    Raises:
        ModelRepositoryError: The folder holds no SavedModel.
    """
    # The object must stay alive: its signatures hold the weights only weakly.
    saved_model = load_saved_model(version)
    variables = {
        id(variable): variable
        for signature in saved_model.signatures.values()
        for variable in signature.variables
    }
    return Measurement(
        quality=objective.measure(saved_model.signatures, examples),
        parameters=sum(variable.shape.num_elements() for variable in variables.values()),
        size=sum(path.stat().st_size for path in version.rglob("*") if path.is_file()),
    )
