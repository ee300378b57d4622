"""Finds the layers of a model that are worth looking into."""

from __future__ import annotations

import keras
from keras import layers

_CONVOLUTIONS = (layers.Conv2D, layers.SeparableConv2D, layers.DepthwiseConv2D)


def convolutional_layers(model: keras.Model) -> list[keras.Layer]:
    """Returns the convolutions of a model, first to last; a nested model with some counts as one.

    Args:
        model: A functional or sequential model.
    """
    return [layer for layer in model.layers if _holds_convolution(layer)]


def last_feature_map(model: keras.Model) -> keras.Layer:
    """Returns the layer behind the last convolution, with its normalisation and activation.

    It is the last one whose output is as large as the convolution's: whatever comes later pools,
    flattens or classifies.

    Args:
        model: A functional or sequential model.

    Raises:
        ValueError: The model has no convolution.
    """
    convolutions = convolutional_layers(model)
    if not convolutions:
        raise ValueError(f"{model.name!r} has no convolutional layer, so it has no feature map.")
    shape = convolutions[-1].output.shape
    return next(layer for layer in reversed(model.layers) if layer.output.shape == shape)


def _holds_convolution(layer: keras.Layer) -> bool:
    if isinstance(layer, keras.Model):
        return any(_holds_convolution(inner) for inner in layer.layers)
    return isinstance(layer, _CONVOLUTIONS)
