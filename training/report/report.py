"""Writes models/README.md, its figures and a model card for each model."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

from training.data.fashion_mnist import Split
from training.evaluation.evaluate import trained_networks
from training.report.model_cards import write_card
from training.report.ported_models import ported_section
from training.report.report_data import ReportData
from training.report.reported_model import progress_on, report_models
from training.report.sections import SECTIONS
from training.report.table import readme_table
from training.report.text_models import text_section

_HEADER = """\
# The models

The models of the first table are trained on Fashion-MNIST, with one signature per task.
`python -m training report` writes this file, its figures and a model card for each model. It
evaluates the latest version of each model in this folder on the {test_size:,} images of the test
set. All choices were made on the validation set, none on the test set.

The calibration error is the expected calibration error over 15 bins. The times are medians of
`serving_default` in one process on {cores} cores, with the ratio to `cnn` in parentheses.

"""


def write_report(
    models: Path, test: Split, console: Console | None = None, text: Path | None = None
) -> Path:
    """Measures the latest version of every network in the repository and writes the report.

    Args:
        models: The model repository, for `README.md`, `figures/*.png` and the card of each version.
        test: The test set.
        console: Shows the progress.
        text: The text file for networks of texts; None reads the King James Bible.

    Returns:
        The path of the README.

    Raises:
        ModelRepositoryError: A version cannot be loaded or has no record of how it was trained.
        DatasetError: The text is missing.
    """
    console = console or Console(quiet=True)
    data = ReportData(report_models(models, trained_networks(models), test, console), test, models)
    header = _HEADER.format(test_size=len(test), cores=os.cpu_count())
    parts = [header + readme_table(data.models, test)]
    with progress_on(console) as progress:
        parts += [
            part
            for section in progress.track(SECTIONS, description="Drawing")
            if (part := section(data)) is not None
        ]
    if (photographs := ported_section(models)) is not None:
        parts.append(photographs)
    if (texts := text_section(models, text)) is not None:
        parts.append(texts)
    for model in data.models:
        write_card(model, test, "test")
    path = models / "README.md"
    path.write_text("\n".join(parts))
    return path
