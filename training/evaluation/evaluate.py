"""Measures exported versions, from their SavedModels in the repository."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.data.dataset import FASHION_MNIST
from training.data.examples import Examples
from training.exporting.export import read_origin
from training.exporting.repository import latest_version, versions
from training.exporting.restore import load_saved_model
from training.zoo import NETWORKS, find_network
from training.zoo.network import Network
from training.zoo.objective import Objective


@dataclass(frozen=True)
class Measurement:
    """The measurement of a version.

    Attributes:
        quality: The quality that its objective measures, such as the accuracy.
        parameters: Number of parameters.
        size: Size of its folder in bytes.
        probabilities: Predicted probabilities of classifiers, float32 [N, K]; None for others.
    """

    quality: float
    parameters: int
    size: int
    probabilities: npt.NDArray[np.float32] | None = None


def trained_networks(models: Path) -> list[Network]:
    """Returns the networks of images with a version in the repository, in the order of the zoo."""
    return [
        entry
        for entry in NETWORKS.values()
        if entry.dataset is FASHION_MNIST and versions(models, entry.name)
    ]


def stored_network(models: Path, name: str) -> Network:
    """Returns the network of a model in the repository, under the model's name.

    Raises:
        UnknownNameError: The repository has no such model, and the zoo no such network.
        ModelRepositoryError: The model has no version, or one that `export` did not write.
    """
    if not versions(models, name):
        find_network(name)
    origin = read_origin(latest_version(models, name))
    return replace(find_network(origin.network), name=name)


def measure(version: Path, objective: Objective, examples: Examples) -> Measurement:
    """Measures a version.

    Args:
        version: The folder of its SavedModel.
        objective: The training objective.
        examples: What to measure it on.

    Raises:
        ModelRepositoryError: The folder contains no SavedModel.
    """
    return measure_saved_model(load_saved_model(version), version, objective, examples)


def measure_saved_model(
    saved_model: Any, version: Path, objective: Objective, examples: Examples
) -> Measurement:
    """Measures a loaded version.

    Args:
        saved_model: The result of `load_saved_model`. It must be kept, since its signatures
            reference the weights only weakly.
        version: The folder of its SavedModel.
        objective: The training objective.
        examples: What to measure it on.
    """
    signatures = saved_model.signatures
    probabilities: list[npt.NDArray[np.float32]] = []

    # Collected here, to avoid a second run over the examples.
    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = signatures["serving_default"](images=images)
        if "probabilities" in outputs:
            probabilities.append(outputs["probabilities"].numpy())
        return outputs

    variables = {
        id(variable): variable
        for signature in signatures.values()
        for variable in signature.variables
    }
    return Measurement(
        quality=objective.measure({**signatures, "serving_default": serve}, examples),
        parameters=sum(variable.shape.num_elements() for variable in variables.values()),
        size=sum(path.stat().st_size for path in version.rglob("*") if path.is_file()),
        probabilities=np.concatenate(probabilities) if probabilities else None,
    )
