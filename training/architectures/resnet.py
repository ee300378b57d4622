"""Residual networks (He et al. 2015, https://arxiv.org/abs/1512.03385) for small images."""

from __future__ import annotations

import keras
from keras import layers


def build_resnet(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    widths: tuple[int, ...] = (16, 32, 64),
    blocks: int = 3,
) -> keras.Model:
    """Builds a ResNet of 2 · stages · blocks + 2 layers, untrained: by default ResNet-20.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: Number of logits.
        widths: Channels of each stage; every stage but the first halves the image.
        blocks: Residual blocks per stage.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] logits.
    """
    inputs = keras.Input(image_shape, name="images")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(inputs)
    x = _convolution(x, widths[0], "stem")
    x = layers.ReLU(name="stem_relu")(x)
    for stage, width in enumerate(widths, 1):
        for block in range(1, blocks + 1):
            name, strides = f"stage{stage}_block{block}", 2 if stage > 1 and block == 1 else 1
            shortcut = x
            if strides > 1:
                shortcut = _convolution(x, width, f"{name}_shortcut", size=1, strides=strides)
            x = _residual_block(x, shortcut, width, name, strides)
    x = layers.GlobalAveragePooling2D(name="gap")(x)
    logits = layers.Dense(class_count, name="logits")(x)
    return keras.Model(inputs, logits, name="resnet")


def build_cnn_best(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    widths: tuple[int, ...] = (48, 96, 160),
    dropout: float = 0.2,
) -> keras.Model:
    """Builds a wide residual network with one block per stage, untrained.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: Number of logits.
        widths: Channels of each stage; every stage halves the image.
        dropout: Dropout rate of the pooled features.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] logits.
    """
    inputs = keras.Input(image_shape, name="images")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(inputs)
    # Not normalized: at full resolution, normalization would cost more than the convolution.
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="stem")(x)
    for number, width in enumerate(widths, 1):
        name = f"stage{number}"
        # ResNet-D's pooled shortcut (https://arxiv.org/abs/1812.01187).
        pooled = layers.AveragePooling2D(2, padding="same", name=f"{name}_pool")(x)
        shortcut = _convolution(pooled, width, f"{name}_shortcut", size=1)
        x = _residual_block(x, shortcut, width, name, strides=2)
    x = layers.GlobalAveragePooling2D(name="gap")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    logits = layers.Dense(class_count, name="logits")(x)
    return keras.Model(inputs, logits, name="cnn_best")


def build_student(
    name: str,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    widths: tuple[int, int, int] = (16, 22, 34),
) -> keras.Model:
    """Builds a small residual network of five convolutions, untrained.

    Args:
        name: Name of the model.
        image_shape: Height, width and channels of an image.
        class_count: Number of logits.
        widths: Channels of the stem and of both stages; each stage halves the image.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] logits.
    """
    stem, *stages = widths
    inputs = keras.Input(image_shape, name="images")
    x = layers.Rescaling(1 / 255, name="rescale")(inputs)
    x = layers.Conv2D(stem, 3, padding="same", activation="relu", name="stem")(x)
    for number, width in enumerate(stages, 1):
        x = layers.MaxPooling2D(name=f"stage{number}_pool")(x)
        x = _convolution(x, width, f"stage{number}_conv1")
        x = layers.ReLU(name=f"stage{number}_relu1")(x)
        shortcut = x
        x = _convolution(x, width, f"stage{number}_conv2")
        x = layers.Add(name=f"stage{number}_add")([x, shortcut])
        x = layers.ReLU(name=f"stage{number}_relu2")(x)
    x = layers.GlobalAveragePooling2D(name="gap")(x)
    logits = layers.Dense(class_count, name="logits")(x)
    return keras.Model(inputs, logits, name=name)


def _residual_block(
    x: keras.KerasTensor, shortcut: keras.KerasTensor, width: int, name: str, strides: int = 1
) -> keras.KerasTensor:
    """Adds the output of two convolutions to the shortcut."""
    x = _convolution(x, width, f"{name}_conv1", strides=strides)
    x = layers.ReLU(name=f"{name}_relu1")(x)
    x = _convolution(x, width, f"{name}_conv2")
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu2")(x)


def _convolution(
    x: keras.KerasTensor, width: int, name: str, size: int = 3, strides: int = 1
) -> keras.KerasTensor:
    """Applies a convolution followed by batch normalization."""
    x = layers.Conv2D(width, size, strides, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)
