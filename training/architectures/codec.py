"""A convolutional autoencoder with a quantized code: learned image compression of fixed size."""

from __future__ import annotations

import keras
from keras import layers

from training.architectures.layers.quantizer import Quantizer
from training.architectures.layers.scaling import double, halve

# At equal size, many coarse numbers give better reconstructions than few precise ones.
CODE_BITS = 4


def build_codec(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    code_size: int = 32,
    bits: int = CODE_BITS,
    name: str = "codec",
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        image_shape: Height, width (both multiples of 4) and channels of an image.
        code_size: Bytes in the code.
        bits: Bits per number in the code: 1, 2, 4 or 8.
        name: Name of the model.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to their
        reconstructions. Its layer `encoder` is a model from images to codes of integers from 0 to
        2^bits - 1, float32 [N, code_size * 8 / bits]; its layer `decoder` is a model from codes to
        images.
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
            # Keeps the code spread over the quantizer's levels during training.
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
