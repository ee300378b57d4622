from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.training.signatures.call import call
from training.signatures.saliency import near_zero, saliency_integrated_gradients


def test_of_a_linear_model_it_is_weight_times_pixel(images: np.ndarray) -> None:
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )

    outputs = call(saliency_integrated_gradients(model), images=images[:2], class_index=[3, 7])

    weights = model.layers[-1].kernel.numpy()[:, [3, 7]].T.reshape(2, 28, 28)
    np.testing.assert_allclose(outputs["attribution"], weights * images[:2, ..., 0], rtol=1e-4)
    np.testing.assert_allclose(outputs["convergence_delta"], [0, 0], atol=2e-2)


def test_of_a_cubic_two_nodes_are_exact() -> None:
    """Gauss-Legendre quadrature with n nodes is exact for polynomials of degree 2n - 1."""
    pixels = keras.Input((2, 2, 1))
    flat = keras.layers.Flatten()(pixels)
    cube = keras.layers.Dense(1, kernel_initializer="ones")(flat * flat * flat)
    image = np.array([1, 2, -3, 0.5], np.float32).reshape(1, 2, 2, 1)

    outputs = call(
        saliency_integrated_gradients(keras.Model(pixels, cube), steps=2),
        images=image,
        class_index=[0],
    )

    np.testing.assert_allclose(outputs["attribution"], image[..., 0] ** 3, rtol=1e-5)
    np.testing.assert_allclose(outputs["convergence_delta"], [0], atol=1e-5)


def test_the_shares_sum_to_the_rise_of_the_logit(
    trained_cnn: keras.Model, samples: np.ndarray
) -> None:
    class_index = np.arange(10, dtype=np.int32)

    outputs = call(
        saliency_integrated_gradients(trained_cnn), images=samples, class_index=class_index
    )

    shares = outputs["attribution"].sum(axis=(1, 2))
    logits = trained_cnn(samples).numpy()[class_index, class_index]
    rise = logits - trained_cnn(np.zeros_like(samples)).numpy()[0]
    np.testing.assert_allclose(outputs["convergence_delta"], shares - rise, atol=1e-3)
    np.testing.assert_allclose(shares, rise, rtol=0.1)


def test_more_steps_come_closer(trained_cnn: keras.Model, samples: np.ndarray) -> None:
    request = {"images": samples, "class_index": np.arange(10, dtype=np.int32)}

    coarse, fine = (
        np.abs(
            call(saliency_integrated_gradients(trained_cnn, steps), **request)["convergence_delta"]
        ).mean()
        for steps in (16, 256)
    )

    assert fine < coarse / 4


def test_nodes_near_zero_integrate_what_rises_there() -> None:
    """A logit that is almost as high for a nearly black image as for the image itself."""
    nodes, weights = near_zero(48)

    assert np.sum(nodes < 0.1) > 20
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-3)
    slope = 50 / (1 + 50 * nodes) ** 2
    exact = 1 - 1 / 51
    assert np.sum(weights * slope) == pytest.approx(exact, rel=1e-3)
    uniform = np.mean(50 / (1 + 50 * (np.arange(48) + 0.5) / 48) ** 2)
    assert abs(uniform - exact) > 10 * abs(np.sum(weights * slope) - exact)


def test_black_pixels_have_no_share(trained_cnn: keras.Model, samples: np.ndarray) -> None:
    outputs = call(
        saliency_integrated_gradients(trained_cnn, steps=4), images=samples, class_index=[-1] * 10
    )

    assert np.all(outputs["attribution"][samples[..., 0] == 0] == 0)
    assert np.any(outputs["attribution"] != 0)
