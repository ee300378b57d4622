from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.session_model import SessionModel
from training.signatures.saliency import saliency_gradient


def explain(
    model: keras.Model, images: np.ndarray, class_index: list[int]
) -> dict[str, np.ndarray]:
    outputs = saliency_gradient(model).function(tf.constant(images), tf.constant(class_index))
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def test_of_a_linear_model_it_is_the_weights(images: np.ndarray) -> None:
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )

    outputs = explain(model, images[:2], [3, 7])

    weights = model.layers[-1].kernel.numpy()
    np.testing.assert_allclose(
        outputs["attribution"], weights[:, [3, 7]].T.reshape(2, 28, 28), rtol=1e-5
    )


def test_of_a_smooth_network_it_is_the_chain_rule(images: np.ndarray) -> None:
    dense = [keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(4)]
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), *dense]
    )

    outputs = explain(model, images[:1], [2])

    (hidden_kernel, _), (logit_kernel, _) = (layer.get_weights() for layer in dense)
    hidden = np.tanh(images[0].reshape(-1) / 255 @ hidden_kernel.astype(np.float64))
    expected = hidden_kernel @ ((1 - hidden**2) * logit_kernel[:, 2]) / 255
    np.testing.assert_allclose(
        outputs["attribution"][0].reshape(-1), expected, rtol=1e-3, atol=1e-8
    )


def test_of_the_cnn_it_predicts_small_changes(served_cnn: SessionModel, images: np.ndarray) -> None:
    """The directional derivative equals the central difference of the logits."""
    class_index = np.array([0, 2, 4, 6, 8], np.int32)
    direction = np.random.default_rng(1).standard_normal(images.shape).astype(np.float32)
    step = 0.02

    saliency = served_cnn.run("saliency_gradient", images=images, class_index=class_index)

    above, below = (
        served_cnn.run("serving_default", images=images + sign * step * direction)["logits"]
        for sign in (1, -1)
    )
    difference = ((above - below) / (2 * step))[np.arange(5), class_index]
    predicted = (saliency["attribution"] * direction[..., 0]).sum(axis=(1, 2))
    np.testing.assert_allclose(predicted, difference, rtol=0.02, atol=3e-6)


def test_minus_one_means_the_top_class(served_cnn: SessionModel, images: np.ndarray) -> None:
    top_class = served_cnn.run("serving_default", images=images)["class_index"]

    sentinel = served_cnn.run("saliency_gradient", images=images, class_index=[-1] * 5)

    explicit = served_cnn.run("saliency_gradient", images=images, class_index=top_class)
    np.testing.assert_array_equal(sentinel["class_index"], top_class)
    np.testing.assert_array_equal(sentinel["attribution"], explicit["attribution"])


@pytest.mark.parametrize("class_index", [-2, 10])
def test_an_index_that_is_no_class_is_an_invalid_argument(
    class_index: int, served_cnn: SessionModel, images: np.ndarray
) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="class_index must be -1"):
        served_cnn.run("saliency_gradient", images=images[:1], class_index=[class_index])


def test_channels_are_summed() -> None:
    model = keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2, use_bias=False)]
    )

    outputs = explain(model, np.zeros((1, 4, 4, 3), np.float32), [1])

    weights = model.layers[-1].kernel.numpy()[:, 1].reshape(4, 4, 3)
    np.testing.assert_allclose(outputs["attribution"][0], weights.sum(axis=-1), rtol=1e-5)
