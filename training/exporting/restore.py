"""Loads exported SavedModels, and their weights into networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
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
    # The object must be kept: its signatures reference the weights only weakly.
    saved_model = load_saved_model(version)
    stored = {
        variable.name.removesuffix(":0"): variable
        for signature in saved_model.signatures.values()
        for variable in signature.variables
    }
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
