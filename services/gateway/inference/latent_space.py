"""Ways through the latent space of a generator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def interpolate(
    start: npt.NDArray[np.floating], end: npt.NDArray[np.floating], steps: int
) -> npt.NDArray[np.float32]:
    """Walk from one latent vector to another along the arc between them.

    In many dimensions normally distributed vectors lie near a sphere; a straight line would cut
    through its inside, where the decoder has seen nothing. Vectors without an angle between them
    (one of them zero, or both on one line) are joined by a straight line.

    Source: T. White, Sampling Generative Networks, 2016, https://arxiv.org/abs/1609.04468.

    Args:
        start: [L].
        end: [L].
        steps: vectors to return, both ends included; 2 or more.

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
