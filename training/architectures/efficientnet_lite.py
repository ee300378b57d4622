"""EfficientNet-Lite0: EfficientNet-B0 for small devices, which classifies photographs.

It has no squeeze-and-excitation blocks, and ReLU6 in place of swish (Liu 2020,
https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html).
"""

from __future__ import annotations

from typing import NamedTuple

import keras
from keras import layers


class Stage(NamedTuple):
    """Equal blocks of the network, of which the first may halve the image.

    Attributes:
        blocks: Number of blocks.
        size: Height and width of the depthwise kernels.
        strides: Strides of the first block.
        expansion: Factor by which a block expands its channels.
        width: Channels of the outputs.
    """

    blocks: int
    size: int
    strides: int
    expansion: int
    width: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def build_efficientnet_lite0(
    image_shape: tuple[int, int, int] = (224, 224, 3), class_count: int = 1000
) -> keras.Model:
    """Builds the network with random weights, without batch normalization.

    Batch normalization is part of the weights of the convolution before it: in use, both are one
    linear function.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: Number of logits.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] logits.
    """
    inputs = keras.Input(image_shape, name="images")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescale")(inputs)
    x = layers.Conv2D(32, 3, 2, padding="same", activation="relu6", name="stem")(x)
    for number, stage in enumerate(STAGES, 1):
        for block in range(1, stage.blocks + 1):
            strides = stage.strides if block == 1 else 1
            x = _inverted_residual(x, stage, strides, f"stage{number}_block{block}")
    x = _pointwise(x, 1280, "head", activation="relu6")
    x = layers.GlobalAveragePooling2D(name="gap")(x)
    logits = layers.Dense(class_count, name="logits")(x)
    return keras.Model(inputs, logits, name="efficientnet_lite0")


def _inverted_residual(
    inputs: keras.KerasTensor, stage: Stage, strides: int, name: str
) -> keras.KerasTensor:
    """Expands the channels, filters each of them, and projects them to few (arXiv:1801.04381)."""
    channels = inputs.shape[-1]
    x = inputs
    if stage.expansion > 1:
        x = _pointwise(x, stage.expansion * channels, f"{name}_expand", activation="relu6")
    x = layers.DepthwiseConv2D(
        stage.size, strides, padding="same", activation="relu6", name=f"{name}_depthwise"
    )(x)
    x = _pointwise(x, stage.width, f"{name}_project")
    if strides > 1 or channels != stage.width:
        return x
    return layers.Add(name=f"{name}_add")([x, inputs])


def _pointwise(
    x: keras.KerasTensor, width: int, name: str, activation: str = "linear"
) -> keras.KerasTensor:
    return layers.Conv2D(width, 1, activation=activation, name=name)(x)
