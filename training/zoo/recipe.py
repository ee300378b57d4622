"""Training recipes: the settings of a training run that determine its result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from training.data.augmentation import Augmentation


@dataclass(frozen=True)
class Recipe:
    """The settings of one training run.

    Attributes:
        epochs: Passes over the training set.
        optimizer: A name in `training.fitting.optimizers.OPTIMIZERS`, such as `adamw`.
        learning_rate: Peak learning rate.
        schedule: A name in `training.fitting.learning_rate_schedules.SCHEDULES`.
        weight_decay: Weight decay, decoupled from the gradient (https://arxiv.org/abs/1711.05101).
        batch_size: Images per step.
        augment: Shifts and flips training images at random.
        max_shift: Largest shift of augmented images, in pixels.
        random_erasing: Probability with which `augment` also erases a rectangle of an image
            (https://arxiv.org/abs/1708.04896); None never erases.
        label_smoothing: Share of the target that is spread evenly over all classes
            (https://arxiv.org/abs/1512.00567). For classifiers with cross-entropy only.
        ema_momentum: Momentum of the moving average of the weights, which is exported; None
            exports the last weights.
        early_stopping: Epochs without a lower validation loss after which training ends, and the
            weights of the best epoch are exported; None trains to the last epoch.
        pretrained: Weights of the frozen layers, as in `training.fitting.pretrained`; None for
            networks without frozen layers.
        seed: Seed of the initial weights, the order of the images and the augmentation.

    Raises:
        ValueError: Both a moving average and early stopping are set, or erasing without `augment`.
    """

    epochs: int
    optimizer: str = "adamw"
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    weight_decay: float = 1e-3
    batch_size: int = 128
    augment: bool = False
    max_shift: int = 2
    random_erasing: float | None = None
    label_smoothing: float = 0.0
    ema_momentum: float | None = 0.999
    early_stopping: int | None = None
    pretrained: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.ema_momentum is not None and self.early_stopping is not None:
            raise ValueError(
                "Received both ema_momentum and early_stopping; expected at most one, since each "
                "determines which weights are exported. Set the other one to None."
            )
        if self.random_erasing is not None and not self.augment:
            raise ValueError(
                f"Received random_erasing={self.random_erasing} with augment=False; expected "
                f"augment=True. Set it, or leave out random_erasing."
            )

    @property
    def augmentation(self) -> Augmentation | None:
        """The augmentation of training images; None if there is none."""
        if not self.augment:
            return None
        return Augmentation(self.max_shift, self.random_erasing or 0.0)

    def digest(self) -> str:
        """Returns a short name of the settings, which changes with any of them."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]
