"""The table of all models: description, quality, size and latency."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from training.data.fashion_mnist import Split
from training.evaluation.calibration import reliability
from training.evaluation.latency import BATCH_SIZE, Latency
from training.exporting.export import Origin
from training.fitting.train import default_name
from training.report.markdown import markdown_table
from training.report.reported_model import ReportedModel

# Latencies are also given relative to this model, since machines differ.
REFERENCE = "cnn"

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
    columns = ["model", "version:", "task", "network", *_MEASURED_COLUMNS, "training command"]
    reference = _reference(models)
    rows = (
        [
            f"`{model.name}`",
            model.version.name,
            model.network.task,
            model.network.summary,
            *_measured_cells(model, test, reference),
            f"`{retrain_command(model.origin, model.name)}`",
        ]
        for model in models
    )
    return markdown_table([column.format(split="test") for column in columns], rows)


def screen_table(models: Sequence[ReportedModel], examples: Split, split: str) -> Table:
    """Returns the table for a terminal of 80 columns, without the columns of text.

    Args:
        models: The listed models.
        examples: The examples on which they were measured.
        split: Name of the split of these examples.
    """
    table = Table(padding=0, pad_edge=False)
    table.add_column("model", overflow="fold")
    # So wide that no number is broken, which leaves the rest to the names.
    for column, width in zip(_MEASURED_COLUMNS, (10, 10, 11, 7, 8, 9), strict=True):
        heading = column.removesuffix(":").format(split=split)
        table.add_column(heading, justify="right", min_width=width)
    reference = _reference(models)
    for model in models:
        name = f"{model.name}/{model.version.name}"
        table.add_row(name, *_measured_cells(model, examples, reference))
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


def retrain_command(origin: Origin, name: str) -> str:
    """Returns the command that trains a model again in the same way.

    Args:
        origin: How it was trained.
        name: Name of the model in the repository.
    """
    distill = f"distill {origin.network} --teacher {origin.teacher}"
    command = distill if origin.teacher else f"train {origin.network}"
    pretrained = origin.recipe.pretrained
    weights = f" --weights {pretrained}" if pretrained else ""
    other = f" --name {name}" if name != default_name(origin.network, origin.preset) else ""
    return f"python -m training {command} --preset {origin.preset}{weights}{other}"


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
