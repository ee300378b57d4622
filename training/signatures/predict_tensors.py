"""The predict task of a model that is no classifier of images: its tensors by name."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.signatures.signature import Signature, make_signature


def predict_tensors(model: keras.Model) -> Signature:
    """Makes `serving_default`.

    Inputs and outputs: those of the model, by the names that it gives them.

    Args:
        model: A functional model whose inputs have the batch as their first dimension.
    """
    specs = [tf.TensorSpec(each.shape, each.dtype, name=each.name) for each in model.inputs]

    def serve(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = model(keras.tree.pack_sequence_as(model.input, list(inputs)), training=False)
        return dict(zip(_output_names(model), keras.tree.flatten(outputs), strict=True))

    example = {spec.name: _example(spec) for spec in specs}
    return make_signature("serving_default", serve, specs, example)


def _output_names(model: keras.Model) -> list[str]:
    if isinstance(model.output, dict):
        return sorted(model.output)  # The order of keras.tree.
    return [str(name) for name in model.output_names]


def _example(spec: tf.TensorSpec) -> npt.NDArray[Any]:
    shape = [size or 1 for size in spec.shape]
    if spec.dtype == tf.string:
        return np.full(shape, b"", np.object_)
    return np.zeros(shape, spec.dtype.as_numpy_dtype)
