"""Draws the activation functions and the losses of the course, as Keras computes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from training.evaluation.figure import COLOURS, new_figure, save_figure, show_grid

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu")
# By the course's names. The first two are of an error; the others of a score whose target is 1.
REGRESSION = {
    "squared error": keras.losses.MeanSquaredError,
    "absolute": keras.losses.MeanAbsoluteError,
}
CLASSIFICATION = {
    "cross-entropy": lambda **options: keras.losses.BinaryCrossentropy(from_logits=True, **options),
    "hinge": keras.losses.Hinge,
    "squared error": keras.losses.MeanSquaredError,
}

Curve = npt.NDArray[np.float32]


def activation_values(name: str, x: Curve) -> Curve:
    """Returns the values of one of Keras's activation functions, [N]."""
    return np.asarray(keras.ops.convert_to_numpy(keras.activations.get(name)(x)), np.float32)


def loss_values(loss: keras.losses.Loss, target: float, x: Curve) -> Curve:
    """Returns a loss of each prediction in [N] for the same target, [N].

    Args:
        loss: A loss with `reduction=None`.
        target: The target.
        x: The predictions.
    """
    targets = np.full((len(x), 1), target, np.float32)
    return np.asarray(keras.ops.convert_to_numpy(loss(targets, x[:, None])), np.float32)


def draw_curves(path: Path) -> Path:
    """Draws activations, losses of regression and losses of classification side by side.

    Args:
        path: Path of the PNG file; its folder is created if missing.

    Returns:
        The same path.
    """
    x = np.linspace(-3, 3, 601, dtype=np.float32)
    figure, panels = new_figure(12, 3.8, columns=3)
    activations, regression, classification = panels.flat
    _draw(activations, x, {name: activation_values(name, x) for name in ACTIVATIONS})
    activations.set(title="activations", xlabel="input", ylim=(-1.5, 3))
    for panel, losses, target in ((regression, REGRESSION, 0), (classification, CLASSIFICATION, 1)):
        values = {
            name: loss_values(make(reduction=None), target, x) for name, make in losses.items()
        }
        _draw(panel, x, values)
        panel.set(ylim=(0, 4))
    regression.set(title="losses of regression", xlabel="prediction − target")
    classification.set(title="losses of classification, target 1", xlabel="score")
    return save_figure(figure, path)


def _draw(panel: Axes, x: Curve, curves: Mapping[str, Curve]) -> None:
    for (name, values), colour in zip(curves.items(), COLOURS, strict=False):
        panel.plot(x, values, color=colour, label=name)
    panel.legend(frameon=False, fontsize=9)
    show_grid(panel)
