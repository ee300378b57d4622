"""The common style of all figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Distinguishable with colour blindness (Okabe and Ito 2008, https://jfly.uni-koeln.de/color/).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MUTED = "#767676"
DOTS_PER_INCH = 100


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, npt.NDArray[Any]]:
    """Returns a figure in the common style.

    Args:
        width: Width in inches.
        height: Height in inches.
        rows: Rows of axes.
        columns: Columns of axes.
        **options: Options of `Figure.subplots`.

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
    """Draws faint grid lines behind everything else."""
    axes.grid(True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def show_grey(axes: Axes, image: npt.NDArray[Any]) -> None:
    """Draws grey levels from 0 to 255, [H, W], without interpolation."""
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    hide_frame(axes)


def hide_frame(axes: Axes) -> None:
    """Hides ticks and frame; labels stay visible."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def tile(images: npt.NDArray[Any], columns: int, gap: int = 2) -> npt.NDArray[np.float32]:
    """Arranges images row by row on a white sheet.

    Args:
        images: Grey levels from 0 to 255, [N, H, W].
        columns: Images per row.
        gap: Pixels between two images.

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
    """Writes a figure as a PNG file, reproducibly.

    Args:
        figure: The figure.
        path: Path of the file; its folder is created if missing.

    Returns:
        The same path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the library's version, which would change the file.
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})
    return path
