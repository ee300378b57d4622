"""The Fréchet distance between two sets of images, in the feature space of a classifier.

Heusel et al. 2017, https://arxiv.org/abs/1706.08500, with a classifier of the same kind of images
instead of ImageNet's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Features = npt.NDArray[np.floating]


def frechet_distance(first: Features, second: Features) -> float:
    """Returns the squared Fréchet distance between normal distributions fitted to two samples.

    Args:
        first: Features of each image, [N, D], N > D.
        second: Features of the other images, [M, D].
    """
    shift = first.mean(axis=0) - second.mean(axis=0)
    first_covariance, second_covariance = (
        np.cov(features.astype(np.float64), rowvar=False) for features in (first, second)
    )
    root = _square_root(first_covariance)
    mixed = np.linalg.eigvalsh(root @ second_covariance @ root)
    overlap = np.sqrt(np.clip(mixed, 0, None)).sum()
    spread = np.trace(first_covariance) + np.trace(second_covariance)
    return float(shift @ shift + spread - 2 * overlap)


def _square_root(covariance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    values, vectors = np.linalg.eigh(covariance)
    # Rounding errors can make zero eigenvalues negative.
    root: npt.NDArray[np.float64] = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    return root
