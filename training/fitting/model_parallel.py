"""Model parallelism through `keras.distribution`: each device holds a part of every layer."""

from __future__ import annotations

import re

import keras

MODEL_AXIS = "model"


def split_layers(model: keras.Model) -> keras.distribution.ModelParallel:
    """Splits the kernels of a network over all devices, by the features that come out of them.

    Only the JAX backend computes in parallel so.

    Args:
        model: The network, built anywhere; it says which variables there will be. Its kernels
            whose last axis divides by the number of devices are split; all else is copied.

    Returns:
        A distribution, in whose scope the network is to be built anew and fitted.
    """
    devices = keras.distribution.list_devices()
    mesh = keras.distribution.DeviceMesh((1, len(devices)), ("batch", MODEL_AXIS), devices)
    layout = keras.distribution.LayoutMap(mesh)
    for variable in model.trainable_variables:
        rank = len(variable.shape)
        if rank > 1 and variable.shape[-1] % len(devices) == 0:
            layout[f"^{re.escape(variable.path)}$"] = (*[None] * (rank - 1), MODEL_AXIS)
    return keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch")
