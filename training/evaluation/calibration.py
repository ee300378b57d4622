"""Calibration: how well a classifier's probabilities match its accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """The accuracy of a classifier in bins of its confidence.

    Attributes:
        confidence: Mean probability of the top class in each non-empty bin, [B].
        accuracy: Share of correct predictions in each bin, [B].
        share: Share of all examples in each bin, [B].
    """

    confidence: npt.NDArray[np.float64]
    accuracy: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: the mean gap between both, weighted by the shares."""
        return float(np.sum(self.share * np.abs(self.accuracy - self.confidence)))


def reliability(
    probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.integer], bins: int = BINS
) -> Reliability:
    """Groups predictions into bins of equal width by the probability of the top class.

    Guo et al. 2017, https://arxiv.org/abs/1706.04599.

    Args:
        probabilities: [N, K], each row sums to 1.
        labels: True classes, [N].
        bins: Number of bins between 0 and 1.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    indices = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(indices, minlength=bins)
    filled = counts > 0
    return Reliability(
        confidence=np.bincount(indices, confidence, bins)[filled] / counts[filled],
        accuracy=np.bincount(indices, correct, bins)[filled] / counts[filled],
        share=counts[filled] / len(labels),
    )
