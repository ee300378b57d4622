"""Keras's optimizers by the names that the course uses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras

from training.errors import UnknownNameError
from training.zoo.recipe import Recipe

OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "sgd": keras.optimizers.SGD,
    "momentum": partial(keras.optimizers.SGD, momentum=0.9),
    "nesterov": partial(keras.optimizers.SGD, momentum=0.9, nesterov=True),
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
}
SCHEDULES = ("cosine", "constant")


def make_optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Makes the optimizer of a recipe, with its schedule and its moving average.

    Raises:
        UnknownNameError: The recipe names an optimizer or a schedule that does not exist.
    """
    if recipe.optimizer not in OPTIMIZERS:
        raise UnknownNameError("optimizer", recipe.optimizer, list(OPTIMIZERS))
    return OPTIMIZERS[recipe.optimizer](
        learning_rate=_learning_rate(recipe, steps_per_epoch),
        weight_decay=recipe.weight_decay,
        use_ema=recipe.ema_momentum is not None,
        ema_momentum=recipe.ema_momentum or 0.0,
    )


def _learning_rate(
    recipe: Recipe, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    if recipe.schedule not in SCHEDULES:
        raise UnknownNameError("schedule", recipe.schedule, list(SCHEDULES))
    if recipe.schedule == "constant":
        return recipe.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=steps_per_epoch,
        decay_steps=max(1, (recipe.epochs - 1) * steps_per_epoch),
    )
