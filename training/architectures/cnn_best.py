"""A small residual network: what today's practice makes of the course's CNN."""

from __future__ import annotations

import keras
from keras import layers


def build_cnn_best(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    widths: tuple[int, ...] = (48, 96, 160),
    dropout: float = 0.2,
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: How many logits come out.
        widths: Channels of each residual stage; each halves the image.
        dropout: The share of the pooled features that is left out in training.

    Returns:
        A model from float32 [N, height, width, channels], 0 to 255, to float32 [N, class_count]
        logits.
    """
    inputs = keras.Input(image_shape, name="images")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(inputs)
    # Without normalization: at the full size of the image it would cost more than the convolution.
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="stem")(x)
    for number, width in enumerate(widths, 1):
        x = _residual_stage(x, width, f"stage{number}")
    x = layers.GlobalAveragePooling2D(name="gap")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    logits = layers.Dense(class_count, name="logits")(x)
    return keras.Model(inputs, logits, name="cnn_best")


def _residual_stage(x: keras.KerasTensor, width: int, name: str) -> keras.KerasTensor:
    """Halves the image and adds to it what two convolutions find (He et al. 2015).

    The source: https://arxiv.org/abs/1512.03385, with ResNet-D's pooled shortcut
    (https://arxiv.org/abs/1812.01187).
    """
    pooled = layers.AveragePooling2D(2, padding="same", name=f"{name}_pool")(x)
    shortcut = _convolution(pooled, width, f"{name}_shortcut", size=1)
    x = _convolution(x, width, f"{name}_conv1", strides=2)
    x = layers.ReLU(name=f"{name}_relu1")(x)
    x = _convolution(x, width, f"{name}_conv2")
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu2")(x)


def _convolution(
    x: keras.KerasTensor, width: int, name: str, size: int = 3, strides: int = 1
) -> keras.KerasTensor:
    x = layers.Conv2D(width, size, strides, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)
