"""Keras's optimizers by the names that the course uses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras

from training.errors import UnknownNameError
from training.fitting.learning_rate_schedules import make_learning_rate
from training.zoo.recipe import Recipe

OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "sgd": keras.optimizers.SGD,
    "momentum": partial(keras.optimizers.SGD, momentum=0.9),
    "nesterov": partial(keras.optimizers.SGD, momentum=0.9, nesterov=True),
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    # For adversarial training, in which old gradients point the wrong way.
    "adam_short_memory": partial(keras.optimizers.Adam, beta_1=0.5, beta_2=0.99),
}


def make_optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a recipe, with its schedule and moving average.

    Raises:
        UnknownNameError: The optimizer or the schedule of the recipe is unknown.
    """
    if recipe.optimizer not in OPTIMIZERS:
        raise UnknownNameError("optimizer", recipe.optimizer, list(OPTIMIZERS))
    return OPTIMIZERS[recipe.optimizer](
        learning_rate=make_learning_rate(recipe, steps_per_epoch),
        weight_decay=recipe.weight_decay,
        use_ema=recipe.ema_momentum is not None,
        ema_momentum=recipe.ema_momentum or 0.0,
    )
