"""Measures an exported version: its SavedModel as it lies in the repository, not Keras weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.data.fashion_mnist import Split
from training.exporting.repository import versions
from training.exporting.restore import load_saved_model
from training.zoo import NETWORKS
from training.zoo.network import Network
from training.zoo.objective import Objective


@dataclass(frozen=True)
class Measurement:
    """What was measured of a version.

    Attributes:
        quality: What the objective measures, such as the accuracy.
        parameters: Numbers in its weights.
        size: Bytes of its folder.
        probabilities: What a classifier gives each class of each example, float32 [N, K]; None
            of other models.
    """

    quality: float
    parameters: int
    size: int
    probabilities: npt.NDArray[np.float32] | None = None


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
    return measure_saved_model(load_saved_model(version), version, objective, examples)


def measure_saved_model(
    saved_model: Any, version: Path, objective: Objective, examples: Split
) -> Measurement:
    """Measures a version that is loaded.

    Args:
        saved_model: What `load_saved_model` returns. It must stay alive: its signatures hold the
            weights only weakly.
        version: The folder that it came from.
        objective: What it was trained for.
        examples: What to measure it on.
    """
    signatures = saved_model.signatures
    probabilities: list[npt.NDArray[np.float32]] = []

    # Noted on the way: a second run over the examples would take as long as the first.
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
