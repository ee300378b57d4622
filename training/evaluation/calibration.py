"""Calibration: whether a classifier that is 80% sure is right in 80% of such cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """How often a classifier is right, by how sure it is.

    Attributes:
        confidence: The mean probability of the top class in each bin that is not empty, [B].
        accuracy: The share of right answers in it, [B].
        share: The share of all examples that fall into it, [B].
    """

    confidence: npt.NDArray[np.float64]
    accuracy: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of both, weighted by the shares."""
        return float(np.sum(self.share * np.abs(self.accuracy - self.confidence)))


def reliability(
    probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.integer], bins: int = BINS
) -> Reliability:
    """Sorts predictions into bins of equal width by the probability of the top class.

    Guo et al. 2017, https://arxiv.org/abs/1706.04599.

    Args:
        probabilities: [N, K], each row sums to 1.
        labels: The right classes, [N].
        bins: How many bins share the way from 0 to 1.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    places = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    filled = counts > 0
    return Reliability(
        confidence=np.bincount(places, confidence, bins)[filled] / counts[filled],
        accuracy=np.bincount(places, right, bins)[filled] / counts[filled],
        share=counts[filled] / len(labels),
    )
