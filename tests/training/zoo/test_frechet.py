from __future__ import annotations

import numpy as np
import pytest

from training.zoo.frechet import frechet_distance


def sample(mean: list[float], deviation: list[float], seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((200_000, len(mean)))
    return (np.array(mean) + noise * deviation).astype(np.float32)


def test_of_a_sample_to_itself_it_is_zero() -> None:
    features = sample([1, 2, 3], [1, 5, 0.1], seed=0)

    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)


def test_of_independent_features_it_is_the_sum_over_means_and_deviations() -> None:
    distance = frechet_distance(sample([0, 3], [1, 2], seed=0), sample([1, -1], [2, 0.5], seed=1))

    assert distance == pytest.approx(1**2 + 4**2 + (2 - 1) ** 2 + (2 - 0.5) ** 2, rel=0.02)


def test_turning_both_changes_nothing() -> None:
    first, second = sample([0, 3, 1], [1, 2, 3], seed=0), sample([1, 1, 0], [2, 1, 1], seed=1)
    turn, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3)))

    turned = frechet_distance(first @ turn, second @ turn)

    assert turned == pytest.approx(frechet_distance(first, second), rel=1e-4)


def test_a_feature_that_never_changes_is_no_trouble() -> None:
    first, second = sample([0, 1], [1, 0], seed=0), sample([0, 3], [1, 0], seed=1)

    assert frechet_distance(first, second) == pytest.approx(4, rel=0.01)
