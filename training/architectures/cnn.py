"""The course's convolutional networks: plain, with batch normalization, and regularized."""

from __future__ import annotations

import keras
from keras import layers


def build_cnn(
    image_shape: tuple[int, int, int] = (28, 28, 1), class_count: int = 10
) -> keras.Model:
    """Builds the course's first CNN, untrained: three convolutions, two poolings, a dense layer.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: Number of logits.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] logits.
    """
    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Conv2D(32, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Conv2D(64, 3, activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool2"),
            layers.Conv2D(64, 3, activation="relu", name="conv3"),
            layers.Flatten(name="flatten"),
            layers.Dense(64, activation="relu", name="dense"),
            layers.Dense(class_count, name="logits"),
        ],
        name="cnn",
    )


def build_cnn_batchnorm(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    before_activation: bool = True,
) -> keras.Model:
    """Builds the course's first CNN with batch normalization, untrained.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: Number of logits.
        before_activation: Normalizes before each activation, as in the paper (Ioffe and Szegedy
            2015, https://arxiv.org/abs/1502.03167); otherwise after it.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] logits.
    """

    def normalized(layer: keras.Layer) -> list[keras.Layer]:
        return _normalized(layer, before_activation)

    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            *normalized(layers.Conv2D(32, 3, name="conv1")),
            layers.MaxPooling2D(name="pool1"),
            *normalized(layers.Conv2D(64, 3, name="conv2")),
            layers.MaxPooling2D(name="pool2"),
            *normalized(layers.Conv2D(64, 3, name="conv3")),
            layers.Flatten(name="flatten"),
            *normalized(layers.Dense(64, name="dense")),
            layers.Dense(class_count, name="logits"),
        ],
        name="cnn_batchnorm",
    )


def build_cnn_regularized(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    dropout: float = 0.4,
) -> keras.Model:
    """Builds a wider CNN with batch normalization and dropout, untrained.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: Number of logits.
        dropout: Dropout rate before each dense layer.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] logits.
    """
    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            *_normalized(layers.Conv2D(32, 3, padding="same", use_bias=False, name="conv1")),
            layers.MaxPooling2D(name="pool1"),
            *_normalized(layers.Conv2D(64, 3, padding="same", use_bias=False, name="conv2")),
            layers.MaxPooling2D(name="pool2"),
            *_normalized(layers.Conv2D(128, 3, use_bias=False, name="conv3")),
            *_normalized(layers.Conv2D(128, 3, use_bias=False, name="conv4")),
            layers.Flatten(name="flatten"),
            layers.Dropout(dropout, name="dropout1"),
            *_normalized(layers.Dense(128, use_bias=False, name="dense")),
            layers.Dropout(dropout, name="dropout2"),
            layers.Dense(class_count, name="logits"),
        ],
        name="cnn_regularized",
    )


def _normalized(layer: keras.Layer, before_activation: bool = True) -> list[keras.Layer]:
    """Returns the layer followed by batch normalization and a ReLU."""
    normalization = layers.BatchNormalization(name=f"{layer.name}_bn")
    activation = layers.ReLU(name=f"{layer.name}_relu")
    after = [normalization, activation] if before_activation else [activation, normalization]
    return [layer, *after]
