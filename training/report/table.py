"""The table of all models: what each is, how well it does, how large and how fast it is."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from training.data.fashion_mnist import Split
from training.evaluation.calibration import reliability
from training.evaluation.latency import BATCH_SIZE, Latency
from training.exporting.export import Origin
from training.report.markdown import markdown_table
from training.report.reported_model import ReportedModel

# What the others' latencies are divided by, since machines differ.
REFERENCE = "cnn"

_WHICH = ["model", "version:", "task"]
_WHAT = ["network"]
_HOW_WELL = [
    "parameters:",
    "{split} set:",
    "calibration error:",
    "size:",
    "1 image:",
    f"{BATCH_SIZE} images:",
]
_HOW = ["retrain it with"]


def readme_table(models: Sequence[ReportedModel], test: Split) -> str:
    """Returns the table in Markdown.

    Args:
        models: What it lists.
        test: What they were measured on.
    """
    columns = [column.format(split="test") for column in (*_WHICH, *_WHAT, *_HOW_WELL, *_HOW)]
    reference = _reference(models)
    rows = (
        [
            f"`{model.name}`",
            *_which(model),
            model.network.summary,
            *_how_well(model, test, reference),
            f"`{retrain_command(model.origin)}`",
        ]
        for model in models
    )
    return markdown_table(columns, rows)


def screen_table(models: Sequence[ReportedModel], examples: Split, split: str) -> Table:
    """Returns the table for a terminal, which is narrower: the numbers alone.

    Args:
        models: What it lists.
        examples: What they were measured on.
        split: What that is called.
    """
    table = Table()
    for column in (*_WHICH, *_HOW_WELL):
        heading = column.removesuffix(":").format(split=split)
        table.add_column(heading, justify="right" if column.endswith(":") else "left")
    reference = _reference(models)
    for model in models:
        table.add_row(model.name, *_which(model), *_how_well(model, examples, reference))
    return table


def quality(model: ReportedModel) -> str:
    """Returns what was measured of a model, such as `accuracy 0.9245`."""
    return f"{model.network.objective.quality} {model.measurement.quality:#.4g}"


def calibration_error(model: ReportedModel, examples: Split) -> str:
    """Returns a classifier's expected calibration error; a dash for other models."""
    if not model.is_classifier:
        return "–"
    return f"{reliability(model.probabilities, examples.labels).error:.3f}"


def size(model: ReportedModel) -> str:
    """Returns the size of a version's folder, such as `1.11 MB`."""
    return f"{model.measurement.size / 1e6:.2f} MB"


def retrain_command(origin: Origin) -> str:
    """Returns the command that trains a model anew, as it was trained."""
    taught = f"distill {origin.network} --teacher {origin.teacher}"
    command = taught if origin.teacher else f"train {origin.network}"
    pretrained = origin.recipe.pretrained
    weights = f" --weights {pretrained}" if pretrained else ""
    return f"python -m training {command} --preset {origin.preset}{weights}"


def _which(model: ReportedModel) -> list[str]:
    return [model.version.name, model.network.task]


def _how_well(model: ReportedModel, examples: Split, reference: Latency | None) -> list[str]:
    latency = model.latency
    return [
        f"{model.measurement.parameters:,}",
        quality(model),
        calibration_error(model, examples),
        size(model),
        _time(latency.single, reference.single if reference else None),
        _time(latency.batch, reference.batch if reference else None),
    ]


def _reference(models: Sequence[ReportedModel]) -> Latency | None:
    return next((model.latency for model in models if model.name == REFERENCE), None)


def _time(milliseconds: float, reference: float | None) -> str:
    ratio = f" (×{milliseconds / reference:.1f})" if reference else ""
    return f"{milliseconds:.2f} ms{ratio}"
