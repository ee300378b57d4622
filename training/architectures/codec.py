"""A convolutional autoencoder whose code is bytes: learned image compression of a fixed size."""

from __future__ import annotations

import keras
from keras import layers

from training.architectures.layers.quantizer import Quantizer
from training.architectures.layers.scaling import double, halve

LEVELS = 256


def build_codec(
    image_shape: tuple[int, int, int] = (28, 28, 1), code_size: int = 32
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        image_shape: Height and width of an image, both multiples of 4, and its channels.
        code_size: Bytes in the code.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to the same. Its layer
        `encoder` is a model from images to a code, float32 [N, code_size] of whole numbers from 0
        to 255; `decoder` is the way back.
    """
    height, width, channels = image_shape
    encoder = keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            halve(16, "conv1"),
            halve(32, "conv2"),
            layers.Flatten(name="flatten"),
            layers.Dense(code_size, name="dense"),
            # Spreads the code over the quantiser's levels, which training would leave otherwise.
            layers.BatchNormalization(name="spread"),
            Quantizer(LEVELS, name="code"),
        ],
        name="encoder",
    )
    decoder = keras.Sequential(
        [
            keras.Input((code_size,), name="code"),
            layers.Rescaling(2 / (LEVELS - 1), offset=-1, name="centre"),
            layers.Dense(height // 4 * width // 4 * 32, activation="leaky_relu", name="dense"),
            layers.Reshape((height // 4, width // 4, 32), name="map"),
            double(16, "conv1"),
            double(channels, "pixels", activation="sigmoid"),
            layers.Rescaling(255, name="rescale"),
        ],
        name="decoder",
    )
    return keras.Sequential(
        [keras.Input(image_shape, name="images"), encoder, decoder], name="codec"
    )
