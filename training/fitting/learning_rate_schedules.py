"""Learning-rate schedules by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from training.errors import UnknownNameError
from training.zoo.recipe import Recipe

# A number or a `keras.optimizers.schedules.LearningRateSchedule`.
LearningRate = Any


def cosine(peak: float, epochs: int, steps_per_epoch: int) -> LearningRate:
    """Rises to the peak in the first epoch, then falls to zero along a cosine.

    Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983.
    """
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=peak,
        warmup_steps=steps_per_epoch,
        decay_steps=max(1, (epochs - 1) * steps_per_epoch),
    )


def constant(peak: float, epochs: int, steps_per_epoch: int) -> LearningRate:
    """Stays at the peak."""
    return peak


SCHEDULES: dict[str, Callable[[float, int, int], LearningRate]] = {
    "cosine": cosine,
    "constant": constant,
}


def make_learning_rate(recipe: Recipe, steps_per_epoch: int) -> LearningRate:
    """Returns the learning rate of a recipe: a number or a Keras schedule.

    Raises:
        UnknownNameError: The schedule of the recipe is unknown.
    """
    if recipe.schedule not in SCHEDULES:
        raise UnknownNameError("schedule", recipe.schedule, list(SCHEDULES))
    return SCHEDULES[recipe.schedule](recipe.learning_rate, recipe.epochs, steps_per_epoch)
