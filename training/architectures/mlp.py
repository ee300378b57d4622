"""The multilayer perceptron: two hidden layers with dropout."""

from __future__ import annotations

import keras
from keras import layers


def build_mlp(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    widths: tuple[int, ...] = (512, 256),
    dropout: float = 0.3,
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: Number of logits.
        widths: Units of each hidden layer.
        dropout: Dropout rate after each hidden layer.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] logits.
    """
    model = keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Flatten(name="flatten"),
        ],
        name="mlp",
    )
    for number, width in enumerate(widths, 1):
        model.add(layers.Dense(width, activation="relu", name=f"dense{number}"))
        model.add(layers.Dropout(dropout, name=f"dropout{number}"))
    model.add(layers.Dense(class_count, name="logits"))
    return model
