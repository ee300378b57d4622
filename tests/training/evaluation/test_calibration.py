from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from training.evaluation.calibration import reliability


@pytest.fixture
def predictions() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of 5,000 examples, and labels that follow other ones."""
    generator = np.random.default_rng(0)
    logits = 2 * generator.standard_normal((5_000, 10))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.where(generator.random(5_000) < 0.3, 0, probabilities.argmax(axis=1))
    return probabilities.astype(np.float32), labels


def test_the_bins_are_scikit_learns(predictions: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, labels = predictions

    found = reliability(probabilities, labels, bins=10)

    right = probabilities.argmax(axis=1) == labels
    accuracy, confidence = calibration_curve(right, probabilities.max(axis=1), n_bins=10)
    np.testing.assert_allclose(found.accuracy, accuracy)
    np.testing.assert_allclose(found.confidence, confidence)
    assert found.share.sum() == pytest.approx(1)


def test_the_error_is_the_distance_weighted_by_the_examples() -> None:
    # Three of four at 0.8 are right, and none of the two at 0.6.
    probabilities = np.array([[0.8, 0.2]] * 4 + [[0.4, 0.6]] * 2)
    labels = np.array([0, 0, 0, 1, 0, 0])

    found = reliability(probabilities, labels)

    np.testing.assert_allclose(found.confidence, [0.6, 0.8])
    np.testing.assert_allclose(found.accuracy, [0, 0.75])
    assert found.error == pytest.approx(2 / 6 * 0.6 + 4 / 6 * 0.05)


def test_labels_that_follow_the_probabilities_leave_almost_no_error() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(10), 50_000)
    labels = (probabilities.cumsum(axis=1) > generator.random((50_000, 1))).argmax(axis=1)

    assert reliability(probabilities, labels).error < 0.01


def test_a_classifier_that_is_always_sure_and_always_wrong_has_the_error_1() -> None:
    assert reliability(np.array([[1.0, 0.0]] * 3), np.ones(3, int)).error == 1
