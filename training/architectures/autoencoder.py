"""Dense autoencoders: the course's, and a linear one."""

from __future__ import annotations

import math

import keras
from keras import layers


def build_autoencoder(
    image_shape: tuple[int, int, int] = (28, 28, 1), code_size: int = 32
) -> keras.Model:
    """Builds the course's autoencoder, untrained: layers of 128, 64, the code, 64 and 128.

    Args:
        image_shape: Height, width and channels of an image.
        code_size: Numbers in the code.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to their
        reconstructions. Its layer `encoder` is a model from images to float32 [N, code_size]
        codes, its layer `decoder` a model from codes to images.
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


def build_linear_autoencoder(
    example_shape: tuple[int, ...] = (28, 28, 1), code_size: int = 10
) -> keras.Model:
    """Builds an untrained autoencoder of two linear layers without biases.

    Trained on the squared error, it converges to the truncated singular value decomposition, the
    best linear code of its size (Eckart and Young 1936, https://doi.org/10.1007/BF02288367).

    Args:
        example_shape: Shape of an image, or of a row of a matrix.
        code_size: Rank of the approximation.

    Returns:
        A model from float32 [N, *example_shape] to reconstructions, whose values can lie slightly
        outside 0 to 255. Its layer `encoder` is a model from examples to float32 [N, code_size]
        codes, its layer `decoder` a model from codes to examples.
    """
    encoder = keras.Sequential(
        [
            keras.Input(example_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Flatten(name="flatten"),
            # From zero, weights grow only in directions in which the data varies. Training would
            # hardly correct random weights in the other directions.
            layers.Dense(code_size, use_bias=False, kernel_initializer="zeros", name="code"),
        ],
        name="encoder",
    )
    decoder = keras.Sequential(
        [
            keras.Input((code_size,), name="code"),
            layers.Dense(math.prod(example_shape), use_bias=False, name="pixels"),
            layers.Reshape(example_shape, name="image"),
            layers.Rescaling(255, name="rescale"),
        ],
        name="decoder",
    )
    return keras.Sequential(
        [keras.Input(example_shape, name="images"), encoder, decoder], name="linear_autoencoder"
    )
