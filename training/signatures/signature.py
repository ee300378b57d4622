"""Signatures of a SavedModel, each of which checks the shapes of its inputs in the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


@dataclass(frozen=True)
class Signature:
    """A named function of a SavedModel.

    Attributes:
        name: The name that clients send.
        function: A `tf.function` with named inputs, which returns a dict of outputs. The batch is
            the first dimension of every input and output.
        example: Inputs by name for one warm-up request.
    """

    name: str
    function: tf.types.experimental.GenericFunction
    example: Mapping[str, npt.NDArray[Any]]


def make_signature(
    name: str,
    serve: Callable[..., dict[str, tf.Tensor]],
    specs: Sequence[tf.TensorSpec],
    example: Mapping[str, npt.NDArray[Any]],
) -> Signature:
    """Returns a signature that rejects inputs of other shapes with INVALID_ARGUMENT.

    TensorFlow Serving does not check shapes, and a convolution aborts the whole process if its
    input has another rank.

    Args:
        name: The name that clients send.
        serve: Computes the outputs. Its parameters are named like the inputs.
        specs: Shape, type and name of each input, in the order of the parameters.
        example: Inputs by name for one warm-up request.
    """

    @wraps(serve)
    def checked(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        # ensure_shape checks at run time, and `serve` uses its output, so that no optimization of
        # the graph removes the check or runs a convolution before it.
        return serve(
            *(
                tf.ensure_shape(tensor, spec.shape)
                for tensor, spec in zip(inputs, specs, strict=True)
            )
        )

    return Signature(name, tf.function(checked, input_signature=specs), example)


def images_spec(model: keras.Model) -> tf.TensorSpec:
    """Returns the spec of an `images` input: float32 [N, H, W, C], 0 to 255."""
    return tf.TensorSpec(model.input_shape, tf.float32, name="images")


def example_images(model: keras.Model) -> npt.NDArray[np.float32]:
    """Returns one black image, float32 [1, H, W, C], for a warm-up request."""
    return np.zeros((1, *model.input_shape[1:]), np.float32)
