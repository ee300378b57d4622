from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix

from training.evaluation.confusion import confusion_shares


def test_the_shares_are_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(10), 500)
    labels = generator.integers(0, 10, 500)

    shares = confusion_shares(probabilities, labels)

    expected = confusion_matrix(labels, probabilities.argmax(axis=1), normalize="true")
    np.testing.assert_allclose(shares, expected)


def test_a_class_without_examples_has_no_shares() -> None:
    shares = confusion_shares(np.array([[0.9, 0.1, 0.0]]), np.array([1]))

    np.testing.assert_array_equal(shares, [[0, 0, 0], [1, 0, 0], [0, 0, 0]])
