"""A convolutional autoencoder whose code is bytes: learned image compression of a fixed size."""

from __future__ import annotations

import keras
from keras import layers

from training.architectures.layers.quantizer import Quantizer
from training.architectures.layers.scaling import double, halve

# At equal bytes, many coarse numbers restore an image better than few fine ones.
CODE_BITS = 4


def build_codec(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    code_size: int = 32,
    bits: int = CODE_BITS,
    name: str = "codec",
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        image_shape: Height and width of an image, both multiples of 4, and its channels.
        code_size: Bytes in the code.
        bits: Of each number in the code; 8 or a divisor of it, so that a byte holds 8 / bits.
        name: Of the model.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to the same. Its layer
        `encoder` is a model from images to a code of whole numbers from 0 to 2^bits - 1, float32
        [N, code_size * 8 / bits]; `decoder` is the way back.
    """
    numbers, levels = code_size * 8 // bits, 2**bits
    height, width, channels = image_shape
    encoder = keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            halve(16, "conv1"),
            halve(32, "conv2"),
            layers.Flatten(name="flatten"),
            layers.Dense(numbers, name="dense"),
            # Spreads the code over the quantiser's levels, which training would leave otherwise.
            layers.BatchNormalization(name="spread"),
            Quantizer(levels, name="code"),
        ],
        name="encoder",
    )
    decoder = keras.Sequential(
        [
            keras.Input((numbers,), name="code"),
            layers.Rescaling(2 / (levels - 1), offset=-1, name="centre"),
            layers.Dense(height // 4 * width // 4 * 32, activation="leaky_relu", name="dense"),
            layers.Reshape((height // 4, width // 4, 32), name="map"),
            double(16, "conv1"),
            double(channels, "pixels", activation="sigmoid"),
            layers.Rescaling(255, name="rescale"),
        ],
        name="decoder",
    )
    return keras.Sequential([keras.Input(image_shape, name="images"), encoder, decoder], name=name)
