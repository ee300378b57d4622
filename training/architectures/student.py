"""The student of the distillation: the smallest network that can still follow its teacher."""

from __future__ import annotations

import keras
from keras import layers


def build_student(
    name: str,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    widths: tuple[int, int, int] = (16, 22, 34),
) -> keras.Model:
    """Builds the network, untrained: a residual one (He et al. 2015) of five convolutions.

    Args:
        name: Of the model.
        image_shape: Height, width and channels of an image.
        class_count: How many logits come out.
        widths: Channels of the stem and of both stages, before each of which the image is halved.

    Returns:
        A model from float32 [N, height, width, channels], 0 to 255, to float32 [N, class_count]
        logits.
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


def _convolution(x: keras.KerasTensor, width: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)
