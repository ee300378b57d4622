"""The linear autoencoder: two layers without biases, which find the best approximation of a rank.

By Eckart and Young (1936, https://doi.org/10.1007/BF02288367), no linear code of that size can
restore the data better than a truncated singular value decomposition does; trained on the squared
error, the network reaches it.
"""

from __future__ import annotations

import math

import keras
from keras import layers


def build_linear_autoencoder(
    example_shape: tuple[int, ...] = (28, 28, 1), code_size: int = 10
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        example_shape: Of an image, or of a matrix's row.
        code_size: The rank of the approximation.

    Returns:
        A model from float32 [N, *example_shape] to the same; the images that it restores may lie
        a little outside of 0 to 255. Its layer `encoder` is a model to a code, float32
        [N, code_size]; `decoder` is the way back.
    """
    encoder = keras.Sequential(
        [
            keras.Input(example_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Flatten(name="flatten"),
            # From zero, the weights grow only where the data has something to say; random ones
            # would have to be unlearned along directions in which the data hardly varies.
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
