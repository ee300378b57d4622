"""`lectern export`: exports a Keras model into the repository."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from training.errors import KerasModelError
from training.keras_models.export import Report, export_keras_model
from training.keras_models.plan import Options
from training.keras_models.reading import read_model

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")


def export_model(  # noqa: PLR0913
    console: Console,
    models: Path,
    name: str,
    source: str,
    *,
    weights: str | None,
    builder: str | None,
    custom: str | None,
    image_size: str | None,
    **options: Any,
) -> None:
    """Exports a model and prints what was written.

    Raises:
        TrainingError: The model cannot be exported with these options.
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    if not _NAME.fullmatch(name):
        raise KerasModelError(
            f"Received the name {name!r}; expected only letters, digits, '.', '_' and '-', which "
            "need no escaping in URLs."
        )
    with console.status(f"Reading {source} …"):
        read = read_model(source, builder=builder, weights=weights, custom=custom)
    with console.status("Exporting and checking; this takes minutes for a large network …"):
        chosen = Options(image_size=_read_size(image_size), **options)
        report = export_keras_model(models, name, read, chosen, source)
    _print(console, models, name, report)


def _read_size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = _SIZE.fullmatch(text)
    if not match:
        raise KerasModelError(
            f"Received --image-size {text}; expected HEIGHTxWIDTH, such as 224x224."
        )
    return int(match[1]), int(match[2])


def _print(console: Console, models: Path, name: str, report: Report) -> None:
    table = Table("task", "signature or reason", title=f"{report.version}: {report.kind}")
    for signature in report.signatures:
        table.add_row("✓", signature)
    for reason in dict.fromkeys(report.skipped.values()):
        tasks = (task for task, why in report.skipped.items() if why == reason)
        table.add_row(f"{', '.join(tasks)} skipped", reason)
    console.print(table)
    if report.difference is not None:
        console.print(
            f"Its answers to random images equal the Keras model's within {report.difference:.1g}."
        )
    if report.convergence is not None:
        console.print(f"Integrated gradients add up to the logit within {report.convergence:.1%}.")
    console.print(f"Serve it:   lectern serve {models}", highlight=False, markup=False)
    if "predict_bytes" in report.signatures:
        console.print(f"Try it:     lectern predict {name} photo.jpg", highlight=False)
        console.print(f"Explain it: lectern explain {name} photo.jpg", highlight=False)
