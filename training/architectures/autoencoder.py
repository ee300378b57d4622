"""The course's dense autoencoder: layers narrowing to a code of 32 numbers, and widening again."""

from __future__ import annotations

import math

import keras
from keras import layers


def build_autoencoder(
    image_shape: tuple[int, int, int] = (28, 28, 1), code_size: int = 32
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        image_shape: Height, width and channels of an image.
        code_size: Numbers in the code.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to the same. Its layer
        `encoder` is a model from images to a code, float32 [N, code_size]; `decoder` is the way
        back.
    """
    encoder = keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation="relu", name="dense1"),
            layers.Dense(64, activation="relu", name="dense2"),
            layers.Dense(code_size, name="code"),
        ],
        name="encoder",
    )
    decoder = keras.Sequential(
        [
            keras.Input((code_size,), name="code"),
            layers.Dense(64, activation="relu", name="dense1"),
            layers.Dense(128, activation="relu", name="dense2"),
            layers.Dense(math.prod(image_shape), activation="sigmoid", name="pixels"),
            layers.Reshape(image_shape, name="image"),
            layers.Rescaling(255, name="rescale"),
        ],
        name="decoder",
    )
    return keras.Sequential(
        [keras.Input(image_shape, name="images"), encoder, decoder], name="autoencoder"
    )
