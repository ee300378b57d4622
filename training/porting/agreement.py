"""How far a ported network agrees with its original."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

TOP = 5


@dataclass(frozen=True)
class Agreement:
    """The agreement of a network with its original on some images.

    Attributes:
        images: Number of images.
        top1: Share of images for which both name the same class.
        top5: Mean share of the original's five top classes that are among the network's.
        difference: Largest difference of a logit.
    """

    images: int
    top1: float
    top5: float
    difference: float


def measure_agreement(
    logits: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]
) -> Agreement:
    """Returns the agreement of logits, float32 [N, K], with those of the original."""
    top, expected_top = (np.argsort(-values, axis=1)[:, :TOP] for values in (logits, expected))
    shared = (top[:, :, None] == expected_top[:, None, :]).sum(axis=(1, 2))
    return Agreement(
        images=len(logits),
        top1=float(np.mean(top[:, 0] == expected_top[:, 0])),
        top5=float(np.mean(shared / TOP)),
        difference=float(np.abs(logits - expected).max()),
    )
