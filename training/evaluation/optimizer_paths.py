"""Draws the paths of optimizers on the course's test function, f(x, y) = x⁴/100 + 100 y²."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation.figure import save_figure
from training.fitting.optimizers import make_optimizer
from training.zoo.recipe import Recipe

START = (-7.0, 1.0)
STEPS = 100
# High enough to show how each behaves, low enough that SGD and its variants converge.
LEARNING_RATES = {
    "sgd": 9e-3,
    "momentum": 5e-3,
    "nesterov": 5e-3,
    "adagrad": 1.0,
    "rmsprop": 0.1,
    "adam": 0.5,
}
TITLES = {"sgd": "SGD", "adagrad": "AdaGrad", "rmsprop": "RMSprop"}


def valley(x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Returns the test function: a valley, steep along y, flat along x, lowest at (0, 0)."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    height: npt.NDArray[np.float64] = x**4 / 100 + 100 * y**2
    return height


def slope(point: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Returns the gradient of the valley at a point (x, y), float32 [2]."""
    x, y = point
    return np.array([x**3 / 25, 200 * y], np.float32)


def walk(name: str, learning_rate: float, steps: int = STEPS) -> npt.NDArray[np.float32]:
    """Minimizes the valley with an optimizer.

    Args:
        name: A name in `training.fitting.optimizers.OPTIMIZERS`.
        learning_rate: The constant learning rate.
        steps: Number of steps.

    Returns:
        The position before the first and after each step, float32 [steps + 1, 2].

    Raises:
        UnknownNameError: The optimizer is unknown.
    """
    recipe = Recipe(
        epochs=1,
        optimizer=name,
        learning_rate=learning_rate,
        schedule="constant",
        weight_decay=0.0,
        ema_momentum=None,
    )
    optimizer = make_optimizer(recipe, steps_per_epoch=steps)
    position = keras.Variable(START)
    path = [np.array(START, np.float32)]
    for _ in range(steps):
        optimizer.apply([keras.ops.convert_to_tensor(slope(path[-1]))], [position])
        path.append(position.numpy().copy())
    return np.stack(path)


def draw_optimizer_paths(path: Path) -> Path:
    """Draws one panel per optimizer, over the contour lines of the valley.

    Args:
        path: Path of the PNG file; its folder is created if missing.

    Returns:
        The same path.
    """
    figure = Figure(figsize=(12, 6.4), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for panel, (name, learning_rate) in zip(panels.flat, LEARNING_RATES.items(), strict=True):
        _draw_valley(panel)
        _draw_path(panel, walk(name, learning_rate))
        title = TITLES.get(name, name.capitalize())
        panel.set_title(f"{title}, learning rate {learning_rate:g}", fontsize=11)
    figure.suptitle(f"{STEPS} steps down the valley $x^4/100 + 100\\,y^2$", fontsize=14)
    figure.supxlabel("x")
    figure.supylabel("y")
    return save_figure(figure, path)


def _draw_valley(panel: Axes) -> None:
    x, y = np.meshgrid(np.linspace(-8, 4, 241), np.linspace(-1.3, 1.3, 261))
    # Evenly spaced levels would leave the flat bottom without contour lines.
    levels = np.geomspace(0.02, 200, 15)
    panel.contourf(x, y, np.log(valley(x, y) + 1e-3), np.log(levels), cmap="Blues", extend="both")
    panel.contour(x, y, valley(x, y), levels, colors="white", linewidths=0.6)


def _draw_path(panel: Axes, path: npt.NDArray[np.float32]) -> None:
    panel.plot(*path.T, color="orangered", linewidth=1.2, marker="o", markersize=2.5)
    panel.plot(*START, color="white", marker="o", markersize=6)
    panel.plot(0, 0, color="gold", marker="*", markersize=12, markeredgecolor="black")
    height = float(valley(*path[-1]))
    panel.text(
        0.97, 0.05, f"height {height:.2g}", transform=panel.transAxes, ha="right", color="white"
    )
