"""The section on accuracy by number of parameters, and on distillation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.evaluation.figure import COLOURS, MUTED, new_figure, show_grid
from training.report.markdown import markdown_table
from training.report.report_data import ReportData
from training.report.reported_model import ReportedModel

# `student` and `student_SIZE` are trained on labels alone, `mimic` and `mimic_SIZE` distilled.
STUDENT, MIMIC = "student", "mimic"

OTHER, TEACHER = "other networks", "teacher"
DISTILLED, ALONE = "distilled", "same network, labels alone"
_RIGHT = {"xytext": (8, 0), "va": "center"}
# Line style and position of the names for each kind; names of the two lines do not overlap.
_STYLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    OTHER: ({"color": MUTED, "marker": "o", "linestyle": ""}, _RIGHT),
    TEACHER: ({"color": COLOURS[1], "marker": "*", "markersize": 13, "linestyle": ""}, _RIGHT),
    DISTILLED: ({"color": COLOURS[2], "marker": "o"}, {"xytext": (-5, 6), "ha": "right"}),
    ALONE: ({"color": COLOURS[0], "marker": "o"}, {"xytext": (6, -11)}),
}


def size_curve_section(data: ReportData) -> str | None:
    """Returns the accuracy of all classifiers by number of parameters."""
    classifiers = data.classifiers()
    if len(classifiers) < 2:
        return None
    figure_link = data.add_figure(
        "size_curve", draw_size_curve(classifiers), "Accuracy by number of parameters"
    )
    return f"""\
## Accuracy and size

{figure_link}

All classifiers; the parameters of frozen layers are included.
{_distilled_table(data)}"""


def draw_size_curve(classifiers: Sequence[ReportedModel]) -> Figure:
    """Draws one point per classifier, and lines through those that differ only in size.

    Args:
        classifiers: At least one classifier.
    """
    figure, axes = new_figure(10, 6)
    (panel,) = axes[0]
    groups = _grouped(classifiers)
    for kind, members in groups.items():
        _draw_group(panel, kind, members)
    panel.set(xscale="log", xlabel="parameters", ylabel="accuracy on the test set")
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    panel.margins(x=0.14)
    show_grid(panel)
    if len(groups) > 1:
        panel.legend(loc="lower right", frameon=False)
    return figure


def _grouped(classifiers: Sequence[ReportedModel]) -> dict[str, list[ReportedModel]]:
    """Returns the classifiers by the kinds of `_STYLES`, smallest first."""
    teachers = {model.origin.teacher for model in classifiers}
    groups: dict[str, list[ReportedModel]] = {}
    for model in sorted(classifiers, key=lambda model: model.measurement.parameters):
        if model.origin.teacher:
            kind = DISTILLED
        elif model.name.startswith(STUDENT):
            kind = ALONE
        else:
            kind = TEACHER if model.name in teachers else OTHER
        groups.setdefault(kind, []).append(model)
    return groups


def _draw_group(axes: Axes, kind: str, members: Sequence[ReportedModel]) -> None:
    style, label_place = _STYLES[kind]
    points = [(model.measurement.parameters, model.measurement.quality) for model in members]
    axes.plot(*zip(*points, strict=True), label=kind, **style)
    for model, point in zip(members, points, strict=True):
        axes.annotate(model.name, point, textcoords="offset points", fontsize=9, **label_place)


def _distilled_table(data: ReportData) -> str:
    rows = []
    for mimic in (model for model in data.classifiers() if model.origin.teacher):
        student = data.find(mimic.name.replace(MIMIC, STUDENT, 1))
        teacher = data.find(str(mimic.origin.teacher))
        if student and teacher and student is not mimic:
            rows.append(_distilled_row(mimic, student, teacher))
    if not rows:
        return ""
    table = markdown_table(
        [
            "network",
            "parameters:",
            "share of teacher's:",
            "on labels alone:",
            "distilled:",
            "gain in points:",
            "points below teacher:",
        ],
        rows,
    )
    return f"\nThe gain from distillation, with network and recipe unchanged:\n\n{table}"


def _distilled_row(
    mimic: ReportedModel, student: ReportedModel, teacher: ReportedModel
) -> list[str]:
    distilled, alone, best = (model.measurement for model in (mimic, student, teacher))
    return [
        f"`{mimic.name}`",
        f"{distilled.parameters:,}",
        f"1/{best.parameters / distilled.parameters:.0f}",
        f"{alone.quality:.2%}",
        f"{distilled.quality:.2%}",
        f"{100 * (distilled.quality - alone.quality):+.2f}",
        f"{100 * (best.quality - distilled.quality):.2f}",
    ]
