from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from training.errors import UnknownNameError
from training.fitting.optimizers import OPTIMIZERS, make_optimizer
from training.zoo.recipe import Recipe

CONSTANT = Recipe(
    epochs=3, schedule="constant", learning_rate=0.1, weight_decay=0, ema_momentum=None
)


def walk(recipe: Recipe, steps: int) -> list[float]:
    """Returns where an optimizer gets from 1 on the parabola x²/2, whose gradient is x."""
    variable = keras.Variable(1.0)
    optimizer = make_optimizer(recipe, steps_per_epoch=5)
    path = []
    for _ in range(steps):
        optimizer.apply([variable.value], [variable])
        path.append(float(variable.numpy()))
    return path


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_walks_downhill(name: str) -> None:
    path = walk(replace(CONSTANT, optimizer=name), 5)

    assert path == sorted(path, reverse=True)
    assert path[-1] < 1


@pytest.mark.parametrize(
    ("name", "look_ahead"), [("sgd", None), ("momentum", False), ("nesterov", True)]
)
def test_the_gradient_steps_are_the_textbooks(name: str, look_ahead: bool | None) -> None:
    momentum = 0.0 if look_ahead is None else 0.9
    x, velocity, expected = 1.0, 0.0, []
    for _ in range(4):
        gradient = x
        velocity = momentum * velocity - 0.1 * gradient
        x += momentum * velocity - 0.1 * gradient if look_ahead else velocity
        expected.append(x)

    np.testing.assert_allclose(walk(replace(CONSTANT, optimizer=name), 4), expected, rtol=1e-5)


def test_an_unknown_optimizer_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no optimizer named 'best'. Known: .*,"):
        make_optimizer(replace(CONSTANT, optimizer="best"), 10)


def test_the_optimizer_follows_the_schedule() -> None:
    schedule = make_optimizer(Recipe(epochs=3, learning_rate=0.1), 10)._learning_rate

    np.testing.assert_allclose([float(schedule(step)) for step in (0, 10)], [0, 0.1], atol=1e-7)
