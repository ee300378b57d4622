"""The course's first CNN with batch normalization before or after each activation."""

from __future__ import annotations

import keras
from keras import layers


def build_cnn_batchnorm(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    before_activation: bool = True,
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: How many logits come out.
        before_activation: Normalizes the sums, as Ioffe and Szegedy 2015
            (https://arxiv.org/abs/1502.03167) do; else what the activation makes of them.

    Returns:
        A model from float32 [N, height, width, channels], 0 to 255, to float32 [N, class_count]
        logits.
    """

    def normalized(layer: keras.Layer) -> list[keras.Layer]:
        normalization = layers.BatchNormalization(name=f"{layer.name}_bn")
        activation = layers.ReLU(name=f"{layer.name}_relu")
        after = [normalization, activation] if before_activation else [activation, normalization]
        return [layer, *after]

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
