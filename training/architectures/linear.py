"""Linear classifiers: one layer of weights over the pixels, or over random Fourier features."""

from __future__ import annotations

import keras
from keras import layers

from training.architectures.layers.fourier_features import FourierFeatures


def build_linear(
    name: str,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    l2: float = 0.0,
) -> keras.Model:
    """Builds an untrained linear model, for linear or logistic regression or a linear SVM.

    Args:
        name: Name of the model.
        image_shape: Height, width and channels of an image.
        class_count: Number of outputs.
        l2: Weight of the L2 penalty in the loss.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] scores; the highest score is the predicted class.
    """
    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Flatten(name="flatten"),
            layers.Dense(
                class_count,
                # The loss has a single minimum, and zero is the closest starting point.
                kernel_initializer="zeros",
                kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
                name="logits",
            ),
        ],
        name=name,
    )


def build_kernel_svm(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
    features: int = 4096,
    bandwidth: float = 7.0,
) -> keras.Model:
    """Builds an untrained SVM with a Gaussian kernel, approximated by random Fourier features.

    Args:
        image_shape: Height, width and channels of an image.
        class_count: Number of outputs.
        features: Number of random Fourier features.
        bandwidth: Bandwidth of the kernel, for pixels from 0 to 1.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] scores; the highest score is the predicted class.
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
