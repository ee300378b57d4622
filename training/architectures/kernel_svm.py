"""A support vector machine with a Gaussian kernel, made linear by random Fourier features."""

from __future__ import annotations

import keras
from keras import layers

from training.architectures.layers.fourier_features import FourierFeatures


def build_kernel_svm(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    features: int = 4096,
    bandwidth: float = 7.0,
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: How many scores come out.
        features: Random Fourier features.
        bandwidth: Of the kernel, for images from 0 to 1.

    Returns:
        A model from float32 [N, height, width, channels], 0 to 255, to float32 [N, class_count]
        scores, of which the largest names the class.
    """
    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Flatten(name="flatten"),
            FourierFeatures(features, bandwidth, name="fourier"),
            layers.Dense(class_count, kernel_initializer="zeros", name="logits"),
        ],
        name="kernel_svm",
    )
