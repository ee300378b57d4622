"""Writes a trained model as a SavedModel: one signature a task, warm-up requests, its origin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras

from training.errors import ModelRepositoryError
from training.recipe import Recipe
from training.repository import publish, register
from training.signatures.signature import Signature
from training.warmup import write_warmup_requests

ORIGIN_PATH = Path("assets.extra") / "training.json"


@dataclass(frozen=True)
class Origin:
    """Where a version comes from.

    Attributes:
        network: Its name in the zoo.
        preset: The preset that trained it.
        recipe: The preset's settings at that time.
        teacher: The network that it learned to imitate, if it did.
    """

    network: str
    preset: str
    recipe: Recipe
    teacher: str | None = None


def export(models: Path, signatures: Sequence[Signature], origin: Origin) -> Path:
    """Adds the next version of a model to the repository and to its `models.config`.

    Args:
        models: The repository.
        signatures: What the version can do. One of them is `serving_default`.
        origin: Where it comes from; the network's name is the model's.

    Returns:
        The new version's folder.
    """

    def write(folder: Path) -> None:
        _write_saved_model(folder, signatures)
        write_warmup_requests(folder, origin.network, signatures)
        (folder / ORIGIN_PATH).write_text(json.dumps(asdict(origin), indent=2) + "\n")

    version = publish(models, origin.network, write)
    register(models, origin.network)
    return version


def read_origin(version: Path) -> Origin:
    """Reads where a version comes from.

    Raises:
        ModelRepositoryError: The version was not written by `export`.
    """
    path = version / ORIGIN_PATH
    try:
        content = json.loads(path.read_text())
        return Origin(**{**content, "recipe": Recipe(**content["recipe"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelRepositoryError(
            f"{path} does not say how the model was trained ({error!r}); expected the file that "
            f"`python -m training train` writes."
        ) from error


def _write_saved_model(folder: Path, signatures: Sequence[Signature]) -> None:
    archive = keras.export.ExportArchive()
    # Without archive.track(model): it would store every weight twice, and what the signatures
    # use is tracked anyway. A network with lookup tables of its own would need it.
    for signature in signatures:
        signature.function.get_concrete_function()
        archive.add_endpoint(signature.name, signature.function)
    archive.write_out(str(folder), verbose=False)
