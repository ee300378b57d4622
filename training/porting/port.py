"""Exports a network with the weights of its original, and records how far both agree."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version as installed
from pathlib import Path

import keras
import numpy as np

from training.architectures.float16_storage import store_as_float16
from training.errors import ModelRepositoryError, PretrainedWeightsError
from training.exporting.export import write_saved_model
from training.exporting.repository import publish, register
from training.exporting.session import SessionModel
from training.exporting.warmup import write_warmup_requests
from training.keras_models.labels import IMAGENET, read_labels
from training.porting.agreement import Agreement, measure_agreement
from training.porting.original import Array, Original, load_original
from training.porting.photographs import as_images, cut_views, read_photographs
from training.zoo.ported import find_ported

PORT_PATH = Path("assets.extra") / "port.json"
LOGITS_PATH = Path("assets.extra") / "original_logits.npz"
"""The original's logits for the photographs, by their names."""

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Port:
    """The record of a ported version.

    Attributes:
        network: Name of the network.
        package: Package and version that contain the original weights.
        licence: Licence of the weights.
        source: Address of the original.
        parameters: Number of weights.
        difference: Largest difference of a logit from the original's before the weights were
            rounded to float16.
        agreement: Agreement of the exported version with the original.
    """

    network: str
    package: str
    licence: str
    source: str
    parameters: int
    difference: float
    agreement: Agreement


def port(models: Path, name: str, photographs: Path) -> Path:
    """Adds a version of a ported network to the repository and to its `models.config`.

    Args:
        models: The model repository.
        name: Name of the network.
        photographs: Folder of JPEG files to compare the network with its original on.

    Returns:
        The folder of the new version.

    Raises:
        UnknownNameError: There is no such network.
        PretrainedWeightsError: The original is not installed, or answers differently.
        KerasModelError: The names of the classes are not installed.
    """
    entry, files = find_ported(name), read_photographs(photographs)
    original, labels = load_original(), read_labels(IMAGENET, 1000)
    model = entry.build()
    _set_weights(model, original)
    images = as_images(list(files.values()), model.input_shape[1])
    views = cut_views(images)
    difference = _check(model, original, images)
    signatures = entry.signatures(store_as_float16(model), labels)

    def write(folder: Path) -> None:
        write_saved_model(folder, signatures)
        write_warmup_requests(folder, name, signatures)
        with SessionModel(folder) as session:
            logits = session.run("serving_default", images=views)["logits"]
        record = Port(
            network=name,
            package=f"{entry.package} {installed(entry.package)}",
            licence=entry.licence,
            source=entry.source,
            parameters=model.count_params(),
            difference=difference,
            agreement=measure_agreement(logits, original.logits(views)),
        )
        (folder / PORT_PATH).write_text(json.dumps(asdict(record), indent=2) + "\n")
        expected = dict(zip(files, original.logits(images), strict=True))
        np.savez_compressed(folder / LOGITS_PATH, allow_pickle=False, **expected)

    version = publish(models, name, write)
    register(models, name)
    return version


def read_port(version: Path) -> Port:
    """Reads the record of a version.

    Raises:
        ModelRepositoryError: The version was not written by `port`.
    """
    path = version / PORT_PATH
    try:
        content = json.loads(path.read_text())
        return Port(**{**content, "agreement": Agreement(**content["agreement"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelRepositoryError(
            f"{path} does not say where the weights are from ({error!r}); expected the file that "
            f"`python -m training port` writes."
        ) from error


def _set_weights(model: keras.Model, original: Original) -> None:
    layers = [layer for layer in model.layers if layer.weights]
    for layer, weights in zip(layers, original.weights, strict=True):
        layer.set_weights(weights)


def _check(model: keras.Model, original: Original, images: Array) -> float:
    """Returns the largest difference of a logit.

    Raises:
        PretrainedWeightsError: It is too large.
    """
    answers = keras.ops.convert_to_numpy(model(images, training=False))
    difference = measure_agreement(answers, original.logits(images)).difference
    if not difference <= TOLERANCE:
        raise PretrainedWeightsError(
            f"The logits of {model.name} differ from the original's by {difference:.2g}; expected "
            f"at most {TOLERANCE:.2g}. Nothing was published."
        )
    return difference
