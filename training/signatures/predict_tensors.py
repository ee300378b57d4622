"""The predict task of a model that is no classifier of images: its tensors by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.signatures.signature import Signature, make_signature


def predict_tensors(model: keras.Model) -> Signature:
    """Returns the signature `serving_default`.

    Inputs and outputs: those of the model, by the names that it gives them.

    Args:
        model: A functional model whose inputs have the batch as their first dimension.
    """
    specs, call, names = input_specs(model), call_by_position(model), output_names(model)

    def serve(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(names, call(inputs), strict=True))

    example = {spec.name: example_of(spec) for spec in specs}
    return make_signature("serving_default", serve, specs, example)


def input_specs(model: keras.Model) -> list[tf.TensorSpec]:
    """Returns shape, type and name of each input of a model, in the model's order."""
    return [tf.TensorSpec(each.shape, each.dtype, name=each.name) for each in model.inputs]


def call_by_position(model: keras.Model) -> Callable[[Sequence[tf.Tensor]], list[tf.Tensor]]:
    """Returns a function from a model's inputs to its outputs, both in the model's order."""

    def call(inputs: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        outputs = model(keras.tree.pack_sequence_as(model.input, list(inputs)), training=False)
        flat: list[tf.Tensor] = keras.tree.flatten(outputs)
        return flat

    return call


def output_names(model: keras.Model) -> list[str]:
    """Returns the names of a model's outputs, in the model's order."""
    if isinstance(model.output, dict):
        return sorted(model.output)  # The order of keras.tree.
    return [str(name) for name in model.output_names]


def example_of(spec: tf.TensorSpec) -> npt.NDArray[Any]:
    """Returns zeros or empty texts of a spec's shape, with 1 for each free dimension."""
    shape = [size or 1 for size in spec.shape]
    if spec.dtype == tf.string:
        return np.full(shape, b"", np.object_)
    return np.zeros(shape, spec.dtype.as_numpy_dtype)
