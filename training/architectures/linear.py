"""One layer of weights, which linear regression, logistic regression and the linear SVM share."""

from __future__ import annotations

import keras
from keras import layers


def build_linear(
    name: str,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    l2: float = 0.0,
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        name: Of the model.
        image_shape: Height, width and channels of an image.
        class_count: How many outputs there are.
        l2: Weight of the squared weights in the loss.

    Returns:
        A model from float32 [N, height, width, channels], 0 to 255, to float32 [N, class_count]
        scores, of which the largest names the class.
    """
    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Flatten(name="flatten"),
            layers.Dense(
                class_count,
                # The loss has one minimum; from zero the way there is the shortest.
                kernel_initializer="zeros",
                kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
                name="logits",
            ),
        ],
        name=name,
    )
