from __future__ import annotations

import numpy as np
import pytest

from services.gateway.inference.faithfulness import STEPS, measure_faithfulness
from services.gateway.inference.perturbation import hide
from tests.services.gateway.inference.test_perturbation import asker, background, linear

RANDOM = np.random.default_rng(11)
IMAGE = RANDOM.uniform(0, 255, (8, 7)).astype(np.float32)  # Two pixels a step.
WEIGHTS = RANDOM.normal(size=(8, 7))


def oracle(attribution: np.ndarray, shows: bool) -> list[float]:
    """Hide or show two pixels after the other, the most important first."""
    mask = np.full(IMAGE.size, 0.0 if shows else 1.0)
    scores = []
    order = sorted(range(IMAGE.size), key=lambda index: -attribution.ravel()[index])
    for first in range(0, IMAGE.size + 1, 2):
        scores += linear(WEIGHTS)(hide(IMAGE, mask.reshape(1, 8, 7))).tolist()
        mask[order[first : first + 2]] = 1.0 if shows else 0.0
    return scores


@pytest.mark.parametrize("attribution", [RANDOM.normal(size=(8, 7)), np.zeros((8, 7))])
def test_the_curves_are_those_of_the_oracle(attribution):
    measured = measure_faithfulness(asker(IMAGE, linear(WEIGHTS)), attribution)
    for curve, area, shows in (
        (measured.deletion_curve, measured.deletion, False),
        (measured.insertion_curve, measured.insertion, True),
    ):
        expected = oracle(attribution, shows)
        assert len(curve) == STEPS + 1
        np.testing.assert_allclose(curve, expected, rtol=1e-5, atol=1e-2)
        mean = (sum(expected) - (expected[0] + expected[-1]) / 2) / STEPS
        np.testing.assert_allclose(area, mean, rtol=1e-4, atol=1e-2)


def test_a_map_of_the_pixels_that_matter_is_more_faithful_than_a_random_one():
    image = np.zeros((28, 28), np.float32)
    image[10:18, 10:18] = 255
    ask = asker(image, lambda images: images[:, 10:18, 10:18].mean((1, 2)) / 255)
    true = measure_faithfulness(ask, image)
    random = measure_faithfulness(ask, RANDOM.normal(size=(28, 28)))
    assert true.deletion < random.deletion - 0.2
    assert true.insertion > random.insertion + 0.2
    assert true.deletion_curve[0] == true.insertion_curve[-1] == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (5, 5)])
def test_an_image_of_few_pixels_has_curves_too(size):
    image = RANDOM.uniform(0, 255, size).astype(np.float32)
    measured = measure_faithfulness(asker(image, linear(np.ones(size))), image)
    assert len(measured.deletion_curve) == len(measured.insertion_curve) == STEPS + 1


def test_pixels_without_a_number_come_last():
    attribution = np.full((8, 7), np.nan)
    attribution[0, 0] = -1
    ask = asker(IMAGE, lambda images: images[:, 0, 0].astype(float))
    curve = measure_faithfulness(ask, attribution).deletion_curve
    assert curve[0] == pytest.approx(IMAGE[0, 0])
    assert curve[1] == pytest.approx(background(IMAGE), rel=1e-5)
