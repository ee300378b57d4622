"""A wider CNN held back by batch normalization and dropout."""

from __future__ import annotations

import keras
from keras import layers


def build_cnn_regularized(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    dropout: float = 0.4,
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: How many logits come out.
        dropout: The share of the features that is left out in training, before each dense layer.

    Returns:
        A model from float32 [N, height, width, channels], 0 to 255, to float32 [N, class_count]
        logits.
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


def _normalized(layer: keras.Layer) -> list[keras.Layer]:
    return [
        layer,
        layers.BatchNormalization(name=f"{layer.name}_bn"),
        layers.ReLU(name=f"{layer.name}_relu"),
    ]
