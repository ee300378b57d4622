"""Faithfulness of an attribution: what the score does as the pixels go or come in its order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.gateway.inference.perturbation import Ask, Mask

STEPS = 28


class Faithfulness(NamedTuple):
    """Areas under the curves of the score, as the share of pixels goes from 0 to 1.

    Attributes:
        deletion: for the image as its most important pixels are hidden first; low if the pixels
            with a high attribution are those that the score depends on.
        insertion: for the hidden image as its most important pixels are shown first; high if these
            suffice for the score.
        deletion_curve: the scores after equal steps, from the image to nothing of it.
        insertion_curve: the scores after equal steps, from nothing to the image.
    """

    deletion: float
    insertion: float
    deletion_curve: list[float]
    insertion_curve: list[float]


def measure_faithfulness(ask: Ask, attribution: npt.NDArray[np.floating]) -> Faithfulness:
    """Measures deletion and insertion, with `2 * (STEPS + 1)` scores.

    Source: Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421, section 4.3. Pixels come and go
    over the image's background colour; the paper inserts them into a blurred image.

    Args:
        ask: tells the scores of the explained class.
        attribution: [H, W]; the most positive pixels are the most important.
    """
    order = np.argsort(-attribution.ravel(), kind="stable")
    rank = np.argsort(order).reshape(attribution.shape)

    def masks(shows_important: bool) -> Iterator[Mask]:
        for step in range(STEPS + 1):
            is_important = rank < round(attribution.size * step / STEPS)
            yield (is_important == shows_important).astype(np.float32)

    deletion, insertion = (
        [score for _, score in ask(masks(shows_important))] for shows_important in (False, True)
    )
    return Faithfulness(_area(deletion), _area(insertion), deletion, insertion)


def _area(curve: list[float]) -> float:
    return float(np.trapezoid(curve, dx=1 / STEPS))
