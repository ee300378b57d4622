"""The section on size: what accuracy costs in parameters, and what a teacher is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.evaluation.figure import COLOURS, MUTED, new_figure, show_grid
from training.report.markdown import markdown_table
from training.report.reported_model import ReportedModel
from training.report.study import Study

# `student` and `student_SIZE` learn from labels alone what `mimic` and `mimic_SIZE` are taught.
STUDENT, MIMIC = "student", "mimic"

OTHER, TEACHER = "other networks", "the teacher"
DISTILLED, ALONE = "distilled from it", "the same on labels alone"
_RIGHT = {"xytext": (8, 0), "va": "center"}
# How each kind is drawn, and where the names stand: the two lines keep out of each other's way.
_STYLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    OTHER: ({"color": MUTED, "marker": "o", "linestyle": ""}, _RIGHT),
    TEACHER: ({"color": COLOURS[1], "marker": "*", "markersize": 13, "linestyle": ""}, _RIGHT),
    DISTILLED: ({"color": COLOURS[2], "marker": "o"}, {"xytext": (-5, 6), "ha": "right"}),
    ALONE: ({"color": COLOURS[0], "marker": "o"}, {"xytext": (6, -11)}),
}


def size_curve_section(study: Study) -> str | None:
    """Shows accuracy against parameters, with the distilled networks as a line of their own."""
    classifiers = study.classifiers()
    if len(classifiers) < 2:
        return None
    picture = study.add_picture(
        "size_curve", draw_size_curve(classifiers), "Accuracy against parameters"
    )
    return f"""\
## What accuracy costs

{picture}

Of every classifier; the weights of a frozen part count too.
{_distilled_table(study)}"""


def draw_size_curve(classifiers: Sequence[ReportedModel]) -> Figure:
    """Draws a point a classifier, and a line through those that differ in size alone.

    Args:
        classifiers: At least one.
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
    """Returns the classifiers by the kind that `_STYLES` knows, smallest first."""
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


def _distilled_table(study: Study) -> str:
    rows = []
    for mimic in (model for model in study.classifiers() if model.origin.teacher):
        student = study.find(mimic.name.replace(MIMIC, STUDENT, 1))
        teacher = study.find(str(mimic.origin.teacher))
        if student and teacher and student is not mimic:
            rows.append(_distilled_row(mimic, student, teacher))
    if not rows:
        return ""
    table = markdown_table(
        [
            "network",
            "parameters:",
            "of its teacher's:",
            "on labels alone:",
            "distilled:",
            "gain in points:",
            "behind its teacher:",
        ],
        rows,
    )
    return f"\nWhat a teacher is worth to a network that stays the same otherwise:\n\n{table}"


def _distilled_row(
    mimic: ReportedModel, student: ReportedModel, teacher: ReportedModel
) -> list[str]:
    taught, alone, best = (model.measurement for model in (mimic, student, teacher))
    return [
        f"`{mimic.name}`",
        f"{taught.parameters:,}",
        f"1/{best.parameters / taught.parameters:.0f}",
        f"{alone.quality:.2%}",
        f"{taught.quality:.2%}",
        f"{100 * (taught.quality - alone.quality):+.2f}",
        f"{100 * (best.quality - taught.quality):.2f}",
    ]
