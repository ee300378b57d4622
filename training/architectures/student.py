"""The student of the distillation: the smallest CNN that can still follow its teacher."""

from __future__ import annotations

import keras
from keras import layers


def build_student(
    name: str,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    widths: tuple[int, ...] = (16, 32, 48),
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        name: Of the model.
        image_shape: Height, width and channels of an image.
        class_count: How many logits come out.
        widths: Channels of each convolution; a pooling halves the image after each but the last.

    Returns:
        A model from float32 [N, height, width, channels], 0 to 255, to float32 [N, class_count]
        logits.
    """
    inputs = keras.Input(image_shape, name="images")
    x = layers.Rescaling(1 / 255, name="rescale")(inputs)
    for number, width in enumerate(widths, 1):
        if number > 1:
            x = layers.MaxPooling2D(name=f"pool{number - 1}")(x)
        x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(name=f"bn{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    x = layers.GlobalAveragePooling2D(name="gap")(x)
    logits = layers.Dense(class_count, name="logits")(x)
    return keras.Model(inputs, logits, name=name)
