from __future__ import annotations

import keras
import numpy as np

from tests.training.signatures.call import call
from training.exporting.session import SessionModel
from training.signatures.saliency import saliency_gradient


def test_of_a_linear_model_it_is_the_weights(images: np.ndarray) -> None:
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )

    outputs = call(saliency_gradient(model), images=images[:2], class_index=[3, 7])

    weights = model.layers[-1].kernel.numpy()
    np.testing.assert_allclose(
        outputs["attribution"], weights[:, [3, 7]].T.reshape(2, 28, 28), rtol=1e-5
    )


def test_of_a_smooth_network_it_is_the_chain_rule(images: np.ndarray) -> None:
    dense = [keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(4)]
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), *dense]
    )

    outputs = call(saliency_gradient(model), images=images[:1], class_index=[2])

    (hidden_kernel, _), (logit_kernel, _) = (layer.get_weights() for layer in dense)
    hidden = np.tanh(images[0].reshape(-1) / 255 @ hidden_kernel.astype(np.float64))
    expected = hidden_kernel @ ((1 - hidden**2) * logit_kernel[:, 2]) / 255
    np.testing.assert_allclose(
        outputs["attribution"][0].reshape(-1), expected, rtol=1e-3, atol=1e-8
    )


def smooth_network(dtype: str) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((6, 6, 1), dtype=dtype),
            keras.layers.Conv2D(4, 3, activation="tanh", dtype=dtype),
            keras.layers.AveragePooling2D(2, dtype=dtype),
            keras.layers.Flatten(dtype=dtype),
            keras.layers.Dense(3, dtype=dtype),
        ]
    )


def test_it_is_the_finite_difference_in_double_precision() -> None:
    model, precise = smooth_network("float32"), smooth_network("float64")
    precise.set_weights(model.get_weights())
    image = np.random.default_rng(0).standard_normal((1, 6, 6, 1))
    step = 1e-6

    outputs = call(
        saliency_gradient(model), images=image.astype(np.float32), class_index=np.int32([1])
    )

    steps = step * np.eye(36).reshape(36, 6, 6, 1)
    above, below = (precise(image + sign * steps).numpy()[:, 1] for sign in (1, -1))
    difference = ((above - below) / (2 * step)).reshape(6, 6)
    np.testing.assert_allclose(outputs["attribution"][0], difference, rtol=1e-4, atol=1e-6)


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


def test_channels_are_summed() -> None:
    model = keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2, use_bias=False)]
    )

    outputs = call(
        saliency_gradient(model), images=np.zeros((1, 4, 4, 3), np.float32), class_index=[1]
    )

    weights = model.layers[-1].kernel.numpy()[:, 1].reshape(4, 4, 3)
    np.testing.assert_allclose(outputs["attribution"][0], weights.sum(axis=-1), rtol=1e-5)
