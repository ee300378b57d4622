"""Loads exported SavedModels, and their weights into networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy.typing as npt
import tensorflow as tf

from training.errors import ModelRepositoryError


def load_saved_model(version: Path) -> Any:
    """Loads an exported version with TensorFlow 2.

    Raises:
        ModelRepositoryError: The folder contains no SavedModel.
    """
    try:
        return tf.saved_model.load(str(version))
    except OSError as error:
        raise ModelRepositoryError(
            f"{version} cannot be loaded as a SavedModel: {error}"
        ) from error


def load_weights(model: keras.Model, version: Path) -> None:
    """Loads the weights of a version that was exported from the same network.

    Args:
        model: The network, built. Its variables are matched by paths such as `cnn/conv1/kernel`.
        version: The folder of the SavedModel.

    Raises:
        ModelRepositoryError: The folder contains no SavedModel, or one of another network.
    """
    stored = _stored_weights(version)
    # Not all variables: the random state of dropout is not exported.
    wanted = {variable.path: variable for variable in model.weights}
    if {path: tuple(variable.shape) for path, variable in wanted.items()} != {
        path: tuple(variable.shape) for path, variable in stored.items()
    }:
        raise ModelRepositoryError(
            f"{version} contains the weights {sorted(stored)}; the network {model.name!r} has "
            f"{sorted(wanted)}. Expected the same names and shapes; train the network again."
        )
    for path, variable in wanted.items():
        variable.assign(stored[path])


def load_shared_weights(model: keras.Model, version: Path) -> None:
    """Loads the weights that a network has in common with another one's version, by their paths.

    Args:
        model: The network, built. Its other variables keep their values.
        version: The folder of the SavedModel.

    Raises:
        ModelRepositoryError: The folder contains no SavedModel, or none of the weights.
    """
    stored = _stored_weights(version)
    shared = [
        variable
        for variable in model.weights
        if variable.path in stored and tuple(variable.shape) == stored[variable.path].shape
    ]
    if not shared:
        raise ModelRepositoryError(
            f"{version} contains the weights {sorted(stored)}; expected some of the paths and "
            f"shapes of the network {model.name!r}. Train the network of that version again."
        )
    for variable in shared:
        variable.assign(stored[variable.path])


def _stored_weights(version: Path) -> dict[str, npt.NDArray[Any]]:
    # The object must be kept: its signatures reference the weights only weakly.
    saved_model = load_saved_model(version)
    return {
        variable.name.removesuffix(":0"): variable.numpy()
        for signature in saved_model.signatures.values()
        for variable in signature.variables
    }
