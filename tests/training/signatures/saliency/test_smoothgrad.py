from __future__ import annotations

import keras
import numpy as np

from tests.training.signatures.call import call
from training.exporting.session import SessionModel
from training.signatures.saliency import saliency_gradient, saliency_smoothgrad


def test_without_noise_it_is_the_gradient(cnn: keras.Model, images: np.ndarray) -> None:
    request = {"images": images[:2], "class_index": [3, -1]}

    smooth = call(saliency_smoothgrad(cnn, samples=4, noise_level=0), **request)

    plain = call(saliency_gradient(cnn), **request)
    np.testing.assert_allclose(smooth["attribution"], plain["attribution"], rtol=1e-3, atol=1e-8)


def test_the_noise_is_in_proportion_to_the_range_of_the_image(cnn: keras.Model) -> None:
    even = {"images": np.full((1, 28, 28, 1), 80, np.float32), "class_index": [5]}

    smooth = call(saliency_smoothgrad(cnn, samples=4), **even)

    plain = call(saliency_gradient(cnn), **even)
    np.testing.assert_allclose(smooth["attribution"], plain["attribution"], rtol=1e-3, atol=1e-8)


def test_it_is_the_mean_gradient_under_noise() -> None:
    """Of x², whose gradient is 2x: twice the mean of the noisy copies, so it tends to 2x."""
    pixels = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(pixels)
    model = keras.Model(pixels, keras.layers.Dense(1, kernel_initializer="ones")(flat * flat))
    image = np.zeros((1, 8, 8, 1), np.float32)
    image[0, 0, 0, 0] = 10  # The range, so that the noise has a deviation of 2.

    few, many = (
        call(saliency_smoothgrad(model, count, 0.2), images=image, class_index=[0])["attribution"]
        for count in (16, 1024)
    )

    for attribution, count in ((few, 16), (many, 1024)):
        np.testing.assert_allclose(attribution[0, 0, 0], 20, atol=5 * 4 / np.sqrt(count))
        deviation = attribution[0].reshape(-1)[1:].std()
        np.testing.assert_allclose(deviation, 2 * 2 / np.sqrt(count), rtol=0.3)


def test_the_same_request_has_the_same_answer(served_cnn: SessionModel, images: np.ndarray) -> None:
    first, second = (
        served_cnn.run("saliency_smoothgrad", images=images, class_index=[-1] * 5)["attribution"]
        for _ in range(2)
    )

    np.testing.assert_array_equal(first, second)
