"""The section on confusion: which classes the classifiers take for which."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.data.fashion_mnist import CLASS_NAMES
from training.evaluation.confusion import Shares, confusion_shares
from training.evaluation.figure import hide_frame, new_figure
from training.report.study import Study

PANELS = 6


def confusion_section(study: Study) -> str | None:
    """Shows the confusion matrices of the most accurate classifiers."""
    shown = study.classifiers()[:PANELS]
    if not shown:
        return None
    labels = study.test.labels
    matrices = {
        f"{model.name}, {model.measurement.quality:.2%} right": confusion_shares(
            model.probabilities, labels
        )
        for model in shown
    }
    best = next(iter(matrices.values()))
    mistakes = best * (1 - np.eye(len(best)))
    right, taken = np.unravel_index(mistakes.argmax(), mistakes.shape)
    picture = study.add_picture(
        "confusion", draw_confusion(matrices), "Confusion matrices of the classifiers"
    )
    return f"""\
## What is taken for what

{picture}

A row is what an image shows, a column what the classifier takes it for, in percent of the row. The
most frequent mistake of `{shown[0].name}`: it takes {mistakes.max():.0%} of the images of
“{CLASS_NAMES[right]}” for “{CLASS_NAMES[taken]}”. Right is {best.diagonal().min():.0%} of the
hardest class, “{CLASS_NAMES[best.diagonal().argmin()]}”.
"""


def draw_confusion(matrices: Mapping[str, Shares]) -> Figure:
    """Draws one panel a matrix.

    Args:
        matrices: Shares of the rows, [10, 10], by the panel's title.
    """
    columns = min(3, len(matrices))
    rows = -(-len(matrices) // columns)
    figure, panels = new_figure(
        1.6 + 3.8 * columns, 1.2 + 3.5 * rows, rows, columns, sharex=True, sharey=True
    )
    for panel in panels.flat[len(matrices) :]:
        panel.set_visible(False)
    for panel, (title, shares) in zip(panels.flat, matrices.items(), strict=False):
        _draw_matrix(panel, shares)
        panel.set_title(title)
    figure.supylabel("what it shows")
    figure.supxlabel("what it is taken for")
    return figure


def _draw_matrix(panel: Axes, shares: Shares) -> None:
    # The root shows the small shares, which are the mistakes.
    panel.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    hide_frame(panel)
    places = range(len(CLASS_NAMES))
    panel.set_xticks(places, CLASS_NAMES, rotation=45, ha="right", rotation_mode="anchor")
    panel.set_yticks(places, CLASS_NAMES)
    panel.tick_params(length=0)
    for row, column in np.argwhere(np.rint(100 * shares) >= 1):
        share = shares[row, column]
        colour = "white" if share > 0.35 else "black"
        panel.text(
            column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=colour
        )
