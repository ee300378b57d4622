"""Interpolation in the latent space of a generator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def interpolate(
    start: npt.NDArray[np.floating], end: npt.NDArray[np.floating], steps: int
) -> npt.NDArray[np.float32]:
    """Returns vectors along the arc between two latent vectors (spherical interpolation).

    In many dimensions normally distributed vectors lie near a sphere; a straight line would pass
    through its interior, where the decoder was not trained. Vectors without an angle between them
    (one of them zero, or both on one line) are connected by a straight line.

    Source: T. White, Sampling Generative Networks, 2016, https://arxiv.org/abs/1609.04468.

    Args:
        start: [L].
        end: [L].
        steps: number of vectors to return, including both ends; at least 2.

    Returns:
        [steps, L].
    """
    first, last = start.astype(np.float64), end.astype(np.float64)
    share = np.linspace(0, 1, steps)[:, np.newaxis]
    lengths = np.linalg.norm(first) * np.linalg.norm(last)
    cosine = np.clip(first @ last / lengths, -1, 1) if lengths else 1.0
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:
        path = (1 - share) * first + share * last
    else:
        path = np.sin((1 - share) * angle) * first + np.sin(share * angle) * last
        path /= np.sin(angle)
    return np.asarray(path, np.float32)
