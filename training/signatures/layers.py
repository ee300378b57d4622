"""Finds the layers of a model that are worth looking into."""

from __future__ import annotations

import keras
from keras import layers

_CONVOLUTIONS = (layers.Conv2D, layers.SeparableConv2D, layers.DepthwiseConv2D)


def feature_maps(model: keras.Model) -> list[keras.Layer]:
    """Returns the layers that complete the feature maps of a model, first to last.

    A feature map starts with a convolution. The layer that completes it is the last one whose
    output has the same shape: behind the normalization, the activation and the residual sum,
    before the layer that pools or flattens. A nested model with convolutions counts as one.

    Args:
        model: A functional or sequential model.
    """
    convolutions = [layer for layer in model.layers if _holds_convolution(layer)]
    shapes = dict.fromkeys(layer.output.shape for layer in convolutions)
    return [
        next(layer for layer in reversed(model.layers) if layer.output.shape == shape)
        for shape in shapes
    ]


def _holds_convolution(layer: keras.Layer) -> bool:
    if isinstance(layer, keras.Model):
        return any(_holds_convolution(inner) for inner in layer.layers)
    return isinstance(layer, _CONVOLUTIONS)
