"""Exports trained models as SavedModels with signatures, warm-up requests and their origin."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path

import tensorflow as tf

from training.errors import ModelRepositoryError, PortedNetworkError
from training.exporting.repository import publish, register
from training.exporting.warmup import write_warmup_requests
from training.signatures.signature import Signature
from training.zoo.ported import PORTED
from training.zoo.recipe import Recipe

ORIGIN_PATH = Path("assets.extra") / "training.json"
SOURCE_PATH = Path("assets.extra") / "keras_model.json"
"""How a user's own model was exported."""
CARD_PATH = Path("assets.extra") / "README.md"
"""Place of the card in a version, so that its figures belong to that version."""


@dataclass(frozen=True)
class Origin:
    """How an exported version was trained.

    Attributes:
        network: Name of the network in the zoo.
        preset: Name of the recipe.
        recipe: The recipe's settings at that time.
        teacher: Network from which it was distilled, if any.
    """

    network: str
    preset: str
    recipe: Recipe
    teacher: str | None = None


def export(
    models: Path,
    signatures: Sequence[Signature],
    origin: Origin,
    name: str | None = None,
    check: Callable[[Path], None] = lambda _: None,
) -> Path:
    """Adds the next version of a model to the repository and to its `models.config`.

    Args:
        models: The model repository.
        signatures: Signatures of the version, including `serving_default`.
        origin: How it was trained.
        name: Name of the model; None names it after the network.
        check: Called with the folder of the written version before it is published; an error keeps
            it from being published.

    Returns:
        The folder of the new version.
    """
    name = name or origin.network

    def write(folder: Path) -> None:
        write_saved_model(folder, signatures)
        write_warmup_requests(folder, name, signatures)
        (folder / ORIGIN_PATH).write_text(json.dumps(asdict(origin), indent=2) + "\n")
        check(folder)

    version = publish(models, name, write)
    register(models, name)
    return version


def read_origin(version: Path) -> Origin:
    """Reads how a version was trained.

    Raises:
        ModelRepositoryError: The version was not written by `export`.
        PortedNetworkError: The version is of a network with ported weights.
    """
    if (name := version.parent.name) in PORTED:
        raise PortedNetworkError(name, PORTED[name].package)
    path = version / ORIGIN_PATH
    if (version / SOURCE_PATH).is_file():
        raise ModelRepositoryError(
            f"{version} is an exported Keras model of your own, which Fashion-MNIST does not "
            "measure. Measure a classifier on images of your own, in one folder per label: "
            f"python -m training evaluate {version.parent.name} --images FOLDER."
        )
    try:
        content = json.loads(path.read_text())
        return Origin(**{**content, "recipe": Recipe(**content["recipe"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelRepositoryError(
            f"{path} does not say how the model was trained ({error!r}); expected the file that "
            f"`python -m training train` writes."
        ) from error


def write_saved_model(
    folder: Path, signatures: Sequence[Signature], tables: Sequence[tf.lookup.StaticHashTable] = ()
) -> None:
    """Writes signatures as a SavedModel that runs in a session too.

    Args:
        folder: The folder of the new version.
        signatures: The functions to save.
        tables: The lookup tables that they use.
    """
    functions = {
        signature.name: signature.function.get_concrete_function() for signature in signatures
    }
    variables = {
        variable.ref(): variable
        for function in functions.values()
        for variable in function.variables
    }
    # A module with only variables and tables: a module with a Keras model cannot run in a TF1-style
    # session, as TensorFlow Serving runs it, and keras.export.ExportArchive stores every function
    # twice.
    module = tf.Module()
    # Sorted, so that a second export of the same weights writes the same files.
    module.weights = sorted(variables.values(), key=attrgetter("name"))
    module.tables = tables
    tf.saved_model.save(module, str(folder), signatures=functions)
