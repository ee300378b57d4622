"""Convolutions that halve the sides of an image, and those that double them again."""

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
