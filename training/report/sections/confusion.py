"""The section on confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.data.fashion_mnist import CLASS_NAMES
from training.evaluation.confusion import Shares, confusion_shares
from training.evaluation.figure import hide_frame, new_figure
from training.report.report_data import ReportData

PANELS = 6


def confusion_section(data: ReportData) -> str | None:
    """Returns the confusion matrices of the most accurate classifiers."""
    shown = data.classifiers()[:PANELS]
    if not shown:
        return None
    labels = data.test.labels
    matrices = {
        f"{model.name}, accuracy {model.measurement.quality:.2%}": confusion_shares(
            model.probabilities, labels
        )
        for model in shown
    }
    best = next(iter(matrices.values()))
    mistakes = best * (1 - np.eye(len(best)))
    true, predicted = np.unravel_index(mistakes.argmax(), mistakes.shape)
    figure_link = data.add_figure(
        "confusion", draw_confusion(matrices), "Confusion matrices of the classifiers"
    )
    return f"""\
## Confusion matrices

{figure_link}

Rows are true classes, columns predicted classes, in percent of the row. The most frequent error of
`{shown[0].name}`: it predicts “{CLASS_NAMES[predicted]}” for {mistakes.max():.0%} of the images of
“{CLASS_NAMES[true]}”. The hardest class is “{CLASS_NAMES[best.diagonal().argmin()]}”, with
{best.diagonal().min():.0%} correct predictions.
"""


def draw_confusion(matrices: Mapping[str, Shares]) -> Figure:
    """Draws one panel per matrix.

    Args:
        matrices: Shares of each row, [10, 10], by the title of the panel.
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
    figure.supylabel("true class")
    figure.supxlabel("predicted class")
    return figure


def _draw_matrix(panel: Axes, shares: Shares) -> None:
    # The square root makes small shares visible, which are the errors.
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
