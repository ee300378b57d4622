"""Finds the layers of a model that complete its feature maps."""

from __future__ import annotations

import keras
from keras import layers

_POOLING = (
    layers.AveragePooling2D,
    layers.Dropout,
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling2D,
    layers.MaxPooling2D,
    layers.SpatialDropout2D,
    layers.ZeroPadding2D,
)
_CONVOLUTIONS = (layers.Conv2D, layers.SeparableConv2D, layers.DepthwiseConv2D)


def feature_maps(model: keras.Model) -> list[keras.Layer]:
    """Returns the layers that complete the feature maps of a model, first to last.

    A feature map starts with a convolution, and the last layer whose output has the same shape
    completes it: after normalization, activation and residual sum, before pooling or flattening.
    A nested model with convolutions counts as one layer.

    Args:
        model: A functional or sequential model.
    """
    convolutions = [layer for layer in model.layers if _holds_convolution(layer)]
    shapes = dict.fromkeys(layer.output.shape for layer in convolutions)
    return [
        next(layer for layer in reversed(model.layers) if layer.output.shape == shape)
        for shape in shapes
    ]


def last_features(model: keras.Model) -> keras.Layer | None:
    """Returns the last layer of a model whose output has a height and a width, before pooling.

    In a network that concatenates its features, as DenseNet does, it has all of them, unlike the
    last of `feature_maps`.

    Args:
        model: A functional or sequential model; None is returned if it has no convolution.
    """
    if not any(_holds_convolution(layer) for layer in model.layers):
        return None
    for layer in reversed(model.layers):
        shape = getattr(layer.output, "shape", ())
        if len(shape) == 4 and max(shape[1:3]) > 1 and not isinstance(layer, _POOLING):
            return layer
    return None


def _holds_convolution(layer: keras.Layer) -> bool:
    if isinstance(layer, keras.Model):
        return any(_holds_convolution(inner) for inner in layer.layers)
    return isinstance(layer, _CONVOLUTIONS)
