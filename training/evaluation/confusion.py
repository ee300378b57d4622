"""Confusion: how often a classifier takes one class for another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Shares = npt.NDArray[np.float64]


def confusion_shares(
    probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]
) -> Shares:
    """Returns the share of each class's examples that is taken for each class.

    Args:
        probabilities: [N, K].
        labels: The right classes, [N].

    Returns:
        [K, K]: a row a right class, which sums to 1; or to 0, where it has no example.
    """
    count = probabilities.shape[1]
    matrix = np.zeros((count, count))
    np.add.at(matrix, (labels, probabilities.argmax(axis=1)), 1)
    shares: Shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    return shares
