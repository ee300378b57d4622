"""Convolutions that halve the height and width of an image, and convolutions that double them."""

from __future__ import annotations

import keras
from keras import layers

KERNEL_SIZE = 5


def halve(filters: int, name: str) -> keras.layers.Layer:
    """Returns a layer from [N, H, W, C] to [N, H/2, W/2, filters]."""
    return layers.Conv2D(
        filters, KERNEL_SIZE, strides=2, padding="same", activation="leaky_relu", name=name
    )


def double(filters: int, name: str, activation: str = "leaky_relu") -> keras.layers.Layer:
    """Returns a layer from [N, H, W, C] to [N, 2H, 2W, filters]."""
    return layers.Conv2DTranspose(
        filters, KERNEL_SIZE, strides=2, padding="same", activation=activation, name=name
    )
