"""The table of all models: description, quality, size and latency."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from training.data.fashion_mnist import Split
from training.evaluation.calibration import reliability
from training.evaluation.latency import BATCH_SIZE, Latency
from training.exporting.export import Origin
from training.report.markdown import markdown_table
from training.report.reported_model import ReportedModel

# Latencies are also given relative to this model, since machines differ.
REFERENCE = "cnn"

_MODEL_COLUMNS = ["model", "version:", "task"]
_MEASURED_COLUMNS = [
    "parameters:",
    "{split} set:",
    "calibration error:",
    "size:",
    "1 image:",
    f"{BATCH_SIZE} images:",
]


def readme_table(models: Sequence[ReportedModel], test: Split) -> str:
    """Returns the table in Markdown.

    Args:
        models: The listed models.
        test: The test set, on which they were measured.
    """
    columns = [*_MODEL_COLUMNS, "network", *_MEASURED_COLUMNS, "training command"]
    reference = _reference(models)
    rows = (
        [
            f"`{model.name}`",
            *_model_cells(model),
            model.network.summary,
            *_measured_cells(model, test, reference),
            f"`{retrain_command(model.origin)}`",
        ]
        for model in models
    )
    return markdown_table([column.format(split="test") for column in columns], rows)


def screen_table(models: Sequence[ReportedModel], examples: Split, split: str) -> Table:
    """Returns the table for a terminal, without the wide columns.

    Args:
        models: The listed models.
        examples: The examples on which they were measured.
        split: Name of the split of these examples.
    """
    table = Table()
    for column in (*_MODEL_COLUMNS, *_MEASURED_COLUMNS):
        heading = column.removesuffix(":").format(split=split)
        table.add_column(heading, justify="right" if column.endswith(":") else "left")
    reference = _reference(models)
    for model in models:
        table.add_row(
            model.name, *_model_cells(model), *_measured_cells(model, examples, reference)
        )
    return table


def quality(model: ReportedModel) -> str:
    """Returns the measured quality of a model, such as `accuracy 0.9245`."""
    return f"{model.network.objective.quality} {model.measurement.quality:#.4g}"


def calibration_error(model: ReportedModel, examples: Split) -> str:
    """Returns the expected calibration error of a classifier; a dash for other models."""
    if not model.is_classifier:
        return "–"
    return f"{reliability(model.probabilities, examples.labels).error:.3f}"


def size(model: ReportedModel) -> str:
    """Returns the size of a version's folder, such as `1.11 MB`."""
    return f"{model.measurement.size / 1e6:.2f} MB"


def retrain_command(origin: Origin) -> str:
    """Returns the command that trains the model again in the same way."""
    distill = f"distill {origin.network} --teacher {origin.teacher}"
    command = distill if origin.teacher else f"train {origin.network}"
    pretrained = origin.recipe.pretrained
    weights = f" --weights {pretrained}" if pretrained else ""
    return f"python -m training {command} --preset {origin.preset}{weights}"


def _model_cells(model: ReportedModel) -> list[str]:
    return [model.version.name, model.network.task]


def _measured_cells(model: ReportedModel, examples: Split, reference: Latency | None) -> list[str]:
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
