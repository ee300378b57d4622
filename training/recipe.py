"""How a network is trained: the numbers that decide the result, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """The settings of one training run.

    Attributes:
        epochs: Passes over the training set.
        batch_size: Images a step.
        learning_rate: The peak: reached after one epoch, then falling to zero along a cosine
            (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983).
        weight_decay: Of AdamW (https://arxiv.org/abs/1711.05101).
        ema_momentum: Of the moving average of the weights, which is what gets exported.
        augment: Whether training images are shifted and mirrored at random.
        seed: Of the initial weights, the order of the images and the augmentation.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    ema_momentum: float = 0.999
    augment: bool = False
    seed: int = 0

    def digest(self) -> str:
        """Returns a short name that changes whenever a setting does."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]
