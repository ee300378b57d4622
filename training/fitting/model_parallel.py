"""Model parallelism with `keras.distribution`: each device holds a part of every layer."""

from __future__ import annotations

import re

import keras

MODEL_AXIS = "model"


def split_layers(model: keras.Model) -> keras.distribution.ModelParallel:
    """Returns a distribution that splits kernels over all devices along their last axis.

    Keras supports this with the JAX backend only.

    Args:
        model: The network, which names the variables. Kernels whose last axis is divisible by the
            number of devices are split; other variables are replicated.

    Returns:
        The distribution. Build and fit the network again in its scope.
    """
    devices = keras.distribution.list_devices()
    mesh = keras.distribution.DeviceMesh((1, len(devices)), ("batch", MODEL_AXIS), devices)
    layout = keras.distribution.LayoutMap(mesh)
    for variable in model.trainable_variables:
        rank = len(variable.shape)
        if rank > 1 and variable.shape[-1] % len(devices) == 0:
            layout[f"^{re.escape(variable.path)}$"] = (*[None] * (rank - 1), MODEL_AXIS)
    return keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch")
