from __future__ import annotations

import numpy as np
import pytest

from training.errors import UnknownNameError
from training.fitting.learning_rate_schedules import make_learning_rate
from training.zoo.recipe import Recipe


def test_the_cosine_rises_for_an_epoch_and_falls_to_zero() -> None:
    schedule = make_learning_rate(Recipe(epochs=3, learning_rate=0.1), steps_per_epoch=10)
    rates = [float(schedule(step)) for step in range(31)]

    np.testing.assert_allclose(rates[:11], np.linspace(0, 0.1, 11), atol=1e-7)
    half_way = 0.1 * (1 + np.cos(np.pi / 2)) / 2
    np.testing.assert_allclose([rates[20], rates[30]], [half_way, 0], atol=1e-7)


def test_a_constant_rate_stays_at_its_peak() -> None:
    assert make_learning_rate(Recipe(epochs=3, learning_rate=0.1, schedule="constant"), 10) == 0.1


def test_an_unknown_schedule_lists_the_known_ones() -> None:
    with pytest.raises(
        UnknownNameError, match=r"no schedule named 'best'. Known: cosine, constant"
    ):
        make_learning_rate(Recipe(epochs=3, schedule="best"), 10)
