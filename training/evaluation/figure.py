"""The one style of all figures: white ground, few colours, no ornament."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Told apart by the colour-blind too (Okabe and Ito 2008, https://jfly.uni-koeln.de/color/).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MUTED = "#767676"
DOTS_PER_INCH = 100


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, npt.NDArray[Any]]:
    """Makes a figure in this style.

    Args:
        width: In inches.
        height: In inches.
        rows: Of axes.
        columns: Of axes.
        **options: For `Figure.subplots`.

    Returns:
        The figure, and its axes as an array [rows, columns].
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, **options)
    for panel in panels.flat:
        panel.spines[["top", "right"]].set_visible(False)
        panel.spines[:].set_color(MUTED)
    return figure, panels


def show_grid(axes: Axes) -> None:
    """Draws faint lines at the ticks, behind everything else."""
    axes.grid(True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def show_grey(axes: Axes, image: npt.NDArray[Any]) -> None:
    """Shows grey levels from 0 to 255, [H, W], pixel by pixel."""
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    hide_frame(axes)


def hide_frame(axes: Axes) -> None:
    """Takes away the ticks and the frame; what is written beside the axes stays."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def tile(images: npt.NDArray[Any], columns: int, gap: int = 2) -> npt.NDArray[np.float32]:
    """Lays images out row by row on white.

    Args:
        images: [N, H, W], grey levels from 0 to 255.
        columns: How many stand in a row.
        gap: Pixels between two of them.

    Returns:
        float32 [height, width].
    """
    count, height, width = images.shape
    rows = -(-count // columns)
    step_down, step_right = height + gap, width + gap
    sheet = np.full((rows * step_down - gap, columns * step_right - gap), 255, np.float32)
    for number, image in enumerate(images):
        top, left = number // columns * step_down, number % columns * step_right
        sheet[top : top + height, left : left + width] = image
    return sheet


def save_figure(figure: Figure, path: Path) -> Path:
    """Writes a PNG, the same bytes each time.

    Args:
        figure: The figure.
        path: Where it goes; its folder is made if need be.

    Returns:
        The same path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the name of the library's version, which would change the file.
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})
    return path
