"""Confusion matrices of classifiers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Shares = npt.NDArray[np.float64]


def confusion_shares(
    probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]
) -> Shares:
    """Returns the share of each class's examples that is predicted as each class.

    Args:
        probabilities: Predicted probabilities, [N, K].
        labels: True classes, [N].

    Returns:
        [K, K]: one row per true class, which sums to 1, or to 0 if the class has no examples.
    """
    count = probabilities.shape[1]
    matrix = np.zeros((count, count))
    np.add.at(matrix, (labels, probabilities.argmax(axis=1)), 1)
    shares: Shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    return shares
