"""Tests of all classifier architectures."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest

from training.architectures.cnn import build_cnn_batchnorm, build_cnn_regularized
from training.architectures.linear import build_kernel_svm
from training.architectures.mlp import build_mlp
from training.architectures.recurrent import build_recurrent
from training.architectures.resnet import build_cnn_best, build_resnet, build_student

BUILDERS = {
    "kernel_svm": partial(build_kernel_svm, features=8),
    "mlp": build_mlp,
    "gru": partial(build_recurrent, "gru", 4),
    "cnn_batchnorm": build_cnn_batchnorm,
    "cnn_regularized": build_cnn_regularized,
    "cnn_best": build_cnn_best,
    "resnet": build_resnet,
    "student": partial(build_student, "student"),
}


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_other_images_and_classes_fit_too(build: object) -> None:
    model = build(image_shape=(32, 24, 3), class_count=4)

    assert model(np.zeros((2, 32, 24, 3), np.float32)).shape == (2, 4)
    assert model.get_layer("logits").output.shape == (None, 4)


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_a_copy_can_be_built_from_the_config(build: object, images: np.ndarray) -> None:
    model = build()

    copy = type(model).from_config(model.get_config())

    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy(images), model(images), rtol=1e-5)


def kinds_after(model: keras.Model, name: str) -> list[str]:
    names = [layer.name for layer in model.layers]
    following = model.layers[names.index(name) + 1 :]
    return [type(layer).__name__ for layer in following[:2]]


@pytest.mark.parametrize("convolution", ["conv1", "conv2", "conv3"])
def test_batch_normalization_stands_before_or_after_the_activation(convolution: str) -> None:
    before = build_cnn_batchnorm(before_activation=True)
    after = build_cnn_batchnorm(before_activation=False)

    assert kinds_after(before, convolution) == ["BatchNormalization", "ReLU"]
    assert kinds_after(after, convolution) == ["ReLU", "BatchNormalization"]
