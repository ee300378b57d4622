"""Draws functions approximated by networks with one hidden layer (Cybenko 1989, Hornik 1991)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.evaluation.figure import COLOURS, MUTED, new_figure, save_figure, show_grid

WIDTHS = (4, 8, 16, 32, 64, 128)
DRAWN = (4, 16)
SAMPLES = 1_001

Values = npt.NDArray[np.float64]


def wave(x: Values) -> Values:
    """Returns a smooth function on [0, 1]."""
    return np.sin(2 * np.pi * x) + 0.5 * np.sin(6 * np.pi * x)


def staircase(x: Values) -> Values:
    """Returns a function on [0, 1] with jumps."""
    return np.minimum(np.floor(4 * x), 3) / 2 - 0.75


FUNCTIONS: dict[str, Callable[[Values], Values]] = {"smooth": wave, "with jumps": staircase}


def approximate(target: Values, x: Values, width: int) -> Values:
    """Returns the output of a network with one hidden layer of ReLU units that approximates values.

    The hidden units bend at evenly spaced places, and the output layer has the least-squares
    weights, so no training is needed.

    Args:
        target: The values, [N].
        x: Where they are taken, from 0 to 1, [N].
        width: Number of hidden units.
    """
    bends = np.arange(width) / width
    hidden = np.maximum(0, x[:, None] - bends)  # [N, width]
    design = np.column_stack([hidden, np.ones_like(x)])
    weights, *_ = np.linalg.lstsq(design, target, rcond=None)
    output: Values = design @ weights
    return output


def root_mean_square_error(function: Callable[[Values], Values], width: int) -> float:
    """Returns the error of the network with so many hidden units on [0, 1]."""
    x = np.linspace(0, 1, SAMPLES)
    return float(np.sqrt(np.mean((approximate(function(x), x, width) - function(x)) ** 2)))


def draw_approximation(path: Path) -> Path:
    """Draws each function with its approximations, and the error by the number of hidden units.

    Args:
        path: Path of the PNG file; its folder is created if missing.

    Returns:
        The same path.
    """
    figure, panels = new_figure(12, 3.6, columns=len(FUNCTIONS) + 1)
    x = np.linspace(0, 1, SAMPLES)
    *curves, errors = panels.flat
    for panel, (name, function) in zip(curves, FUNCTIONS.items(), strict=True):
        panel.plot(x, function(x), color=MUTED, linewidth=3, alpha=0.6, label="function")
        for width, colour in zip(DRAWN, COLOURS, strict=False):
            output = approximate(function(x), x, width)
            panel.plot(x, output, color=colour, label=f"{width} hidden units")
        panel.set(title=name, xlabel="x")
        panel.legend(frameon=False)
    for (name, function), colour in zip(FUNCTIONS.items(), COLOURS, strict=False):
        measured = [root_mean_square_error(function, width) for width in WIDTHS]
        errors.plot(WIDTHS, measured, color=colour, marker="o", label=name)
    errors.set(xscale="log", yscale="log", xlabel="hidden units", title="root mean square error")
    errors.set_xticks(WIDTHS, labels=map(str, WIDTHS))
    errors.minorticks_off()
    errors.legend(frameon=False)
    show_grid(errors)
    return save_figure(figure, path)
