"""What an export needs to know of one signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


@dataclass(frozen=True)
class Signature:
    """A named function of a SavedModel.

    Attributes:
        name: As clients ask for it.
        function: A `tf.function` with an input signature whose tensors are named, and which
            returns a dict of outputs. The batch is the first dimension of every one of them.
        example: Inputs by name for one warm-up request.
    """

    name: str
    function: tf.types.experimental.GenericFunction
    example: Mapping[str, npt.NDArray[Any]]


def images_spec(model: keras.Model) -> tf.TensorSpec:
    """Returns the spec of an `images` input: float32 [N, H, W, C], 0 to 255."""
    return tf.TensorSpec(model.input_shape, tf.float32, name="images")


def example_images(model: keras.Model) -> npt.NDArray[np.float32]:
    """Returns one black image, float32 [1, H, W, C], for a warm-up request."""
    return np.zeros((1, *model.input_shape[1:]), np.float32)
