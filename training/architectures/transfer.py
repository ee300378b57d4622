"""Transfer learning: the first blocks of VGG16, frozen, and a small trainable head."""

from __future__ import annotations

import keras
from keras import layers

# The last frozen layer.
FEATURES = "features"
# VGG16 expects blue, green and red, each with its ImageNet mean subtracted.
_MEANS = (-103.939, -116.779, -123.68)
_BLOCKS = ((64, 2), (128, 2), (256, 3))


def build_transfer(
    image_shape: tuple[int, int, int] = (28, 28, 1), class_count: int = 10, dropout: float = 0.3
) -> keras.Model:
    """Builds the network with random weights (VGG16: https://arxiv.org/abs/1409.1556).

    Args:
        image_shape: Height, width and channels of a grey image, which is doubled in size.
        class_count: Number of logits.
        dropout: Dropout rate of the features and of the hidden layer.

    Returns:
        A model from float32 [N, height, width, 1] images, 0 to 255, to float32 [N, class_count]
        logits. All layers up to `features` are frozen.
    """
    height, width, _ = image_shape
    inputs = keras.Input(image_shape, name="images")
    x = layers.Resizing(2 * height, 2 * width, name="double")(inputs)
    x = layers.Concatenate(name="colours")([x, x, x])
    x = layers.Rescaling(1.0, offset=_MEANS, name="centre")(x)
    for block, (channels, depth) in enumerate(_BLOCKS, 1):
        for number in range(1, depth + 1):
            x = layers.Conv2D(
                channels,
                3,
                padding="same",
                activation="relu",
                trainable=False,
                name=f"block{block}_conv{number}",
            )(x)
        x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    x = layers.MaxPooling2D(name=FEATURES)(x)
    x = layers.Flatten(name="flatten")(x)
    # The scales of the features differ.
    x = layers.BatchNormalization(name="normalize")(x)
    x = layers.Dropout(dropout, name="dropout1")(x)
    x = layers.Dense(64, activation="relu", name="dense")(x)
    x = layers.Dropout(dropout, name="dropout2")(x)
    logits = layers.Dense(class_count, name="logits")(x)
    return keras.Model(inputs, logits, name="transfer")
