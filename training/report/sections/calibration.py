"""The section on calibration: how well the classifiers' probabilities match their accuracy."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation.calibration import BINS, Reliability, reliability
from training.evaluation.figure import COLOURS, MUTED, new_figure, show_grid
from training.report.report_data import ReportData


def calibration_section(data: ReportData) -> str | None:
    """Returns reliability curves of the most accurate classifiers and the errors of all."""
    found = {
        model.name: reliability(model.probabilities, data.test.labels)
        for model in data.classifiers()
    }
    if not found:
        return None
    best = min(found, key=lambda name: found[name].error)
    figure_link = data.add_figure(
        "calibration", draw_calibration(found), "Reliability curves and calibration errors"
    )
    return f"""\
## Calibration

{figure_link}

Left: the accuracy of the most accurate classifiers by the predicted probability. On the diagonal,
the probability equals the accuracy; below it, the classifier is overconfident. Bins with fewer than
ten images are omitted. Right: the expected calibration error of all classifiers, the mean distance
from the diagonal over {BINS} bins ([Guo et al. 2017](https://arxiv.org/abs/1706.04599)). `{best}`
has the lowest, {found[best].error:.3f}. The probabilities of models trained with hinge loss or
squared error are a softmax of scores that were not trained for it.
"""


def draw_calibration(found: Mapping[str, Reliability], min_share: float = 1e-3) -> Figure:
    """Draws the reliability curves of the first classifiers and the errors of all.

    Args:
        found: Reliability by classifier, the most accurate first.
        min_share: Smallest share of the examples in a bin that is drawn.
    """
    figure, axes = new_figure(11, 5, 1, 2, width_ratios=[1, 1])
    curves, errors = axes[0]
    _draw_curves(curves, dict(list(found.items())[: len(COLOURS)]), min_share)
    _draw_errors(errors, found)
    return figure


def _draw_curves(axes: Axes, found: Mapping[str, Reliability], min_share: float) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
    for (name, one), colour in zip(found.items(), COLOURS, strict=False):
        drawn = one.share >= min_share
        axes.plot(
            one.confidence[drawn],
            one.accuracy[drawn],
            color=colour,
            marker="o",
            markersize=4,
            label=name,
        )
    axes.set(xlabel="probability of the top class", ylabel="accuracy")
    axes.set(xlim=(0.2, 1.01), ylim=(0.2, 1.01), aspect="equal")
    show_grid(axes)
    axes.legend(loc="upper left", frameon=False)


def _draw_errors(axes: Axes, found: Mapping[str, Reliability]) -> None:
    names = sorted(found, key=lambda name: -found[name].error)
    errors = [found[name].error for name in names]
    colours = dict(zip(found, COLOURS, strict=False))
    for name, error in zip(names, errors, strict=True):
        axes.plot([error], [name], marker="o", markersize=8, color=colours.get(name, MUTED))
        axes.annotate(
            f"{error:.3f}", (error, name), (9, 0), textcoords="offset points", va="center"
        )
    axes.set(xlabel="expected calibration error", xscale="log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(x=0.2)
    show_grid(axes)
    axes.tick_params(axis="y", length=0)
