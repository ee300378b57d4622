"""Writes models/README.md, its pictures and a model card beside each model."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

from training.data.fashion_mnist import Split
from training.evaluation.evaluate import trained_networks
from training.report.cards import model_card
from training.report.progress import progress_on
from training.report.reported_model import report_models
from training.report.sections import SECTIONS
from training.report.study import Study
from training.report.table import readme_table

_HEADER = """\
# The models

Trained on Fashion-MNIST and exported with every task as a signature. `python -m training report`
writes this file, its pictures and a card beside each model: it loads the latest version of each
from this folder, as a server does, and runs the {test_size:,} images of the test set through it.
Nothing was chosen by looking at them; that is what the validation set is for.

The calibration error is the expected one over 15 bins. The times are medians of `serving_default`
in one process on {cores} cores, and how many times as long as `cnn` that is.

"""


def write_report(models: Path, test: Split, console: Console | None = None) -> Path:
    """Measures the latest version of every network in the repository and writes what it found.

    Args:
        models: The repository. A `README.md`, `figures/*.png` and `NAME/README.md` are written.
        test: The test set.
        console: Shows the progress.

    Returns:
        The path of the README.

    Raises:
        ModelRepositoryError: A version cannot be loaded or does not say how it was trained.
    """
    console = console or Console(quiet=True)
    study = Study(report_models(models, trained_networks(models), test, console), test, models)
    header = _HEADER.format(test_size=len(test), cores=os.cpu_count())
    parts = [header + readme_table(study.models, test)]
    with progress_on(console) as progress:
        parts += [
            text
            for section in progress.track(SECTIONS, description="Drawing")
            if (text := section(study)) is not None
        ]
    for model in study.models:
        (models / model.name / "README.md").write_text(model_card(model, test))
    path = models / "README.md"
    path.write_text("\n".join(parts))
    return path
