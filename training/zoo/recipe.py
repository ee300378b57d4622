"""How a network is trained: the settings that decide the result, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """The settings of one training run.

    Attributes:
        epochs: Passes over the training set.
        optimizer: A name of `training.fitting.optimizers.OPTIMIZERS`, such as `adamw`.
        learning_rate: The peak of the schedule.
        schedule: `cosine` reaches the peak after one epoch and falls to zero along a cosine
            (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983); `constant` stays there.
        weight_decay: Decoupled from the gradient (https://arxiv.org/abs/1711.05101).
        batch_size: Images a step.
        augment: Whether training images are shifted and mirrored at random.
        label_smoothing: The share of the target that is spread evenly over all classes
            (https://arxiv.org/abs/1512.00567). Classifiers with a cross-entropy only.
        ema_momentum: Of the moving average of the weights, which is what gets exported; None
            exports the last weights.
        early_stopping: Epochs without a lower validation loss after which training ends, and the
            weights of the best epoch are exported; None trains to the last epoch.
        pretrained: The weights that a frozen part has, as `training.fitting.pretrained` names them;
            None for a network that learns everything itself.
        seed: Of the initial weights, the order of the images and the augmentation.

    Raises:
        ValueError: Both a moving average and early stopping are asked for.
    """

    epochs: int
    optimizer: str = "adamw"
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    weight_decay: float = 1e-3
    batch_size: int = 128
    augment: bool = False
    label_smoothing: float = 0.0
    ema_momentum: float | None = 0.999
    early_stopping: int | None = None
    pretrained: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.ema_momentum is not None and self.early_stopping is not None:
            raise ValueError(
                "Received ema_momentum and early_stopping; expected one of them, since each has "
                "its own answer to which weights are exported. Set the other one to None."
            )

    def digest(self) -> str:
        """Returns a short name that changes whenever a setting does."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]
