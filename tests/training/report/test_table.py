from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.training.report.fake_models import fake_model, predictions, report_data
from training.exporting.export import Origin
from training.report.table import calibration_error, readme_table, retrain_command, screen_table
from training.zoo.recipe import Recipe

CNN = fake_model("cnn", latency=(2, 8), quality=0.75, probabilities=predictions(40, right=30))
CODEC = fake_model("codec", like="codec", latency=(3, 4), quality=0.005734)


def test_the_readme_has_one_row_a_model(tmp_path: Path) -> None:
    header, _, *rows = readme_table([CNN, CODEC], report_data(tmp_path).test).splitlines()

    assert [cell.strip() for cell in header.strip("|").split("|")] == [
        "model",
        "version",
        "task",
        "network",
        "parameters",
        "test set",
        "calibration error",
        "size",
        "1 image",
        "32 images",
        "training command",
    ]
    assert rows[0] == (
        "| `cnn` | 3 | classification | the course's first CNN: convolutions of 32, 64 and 64, a "
        "dense layer of 64 | 1,000 | accuracy 0.7500 | 0.070 | 2.00 MB | 2.00 ms (×1.0) | "
        "8.00 ms (×1.0) | `python -m training train cnn --preset full` |"
    )
    assert (
        "| mean squared error 0.005734 | – | 2.00 MB | 3.00 ms (×1.5) | 4.00 ms (×0.5) |" in rows[1]
    )


def test_without_the_reference_there_is_no_ratio(tmp_path: Path) -> None:
    assert "| 3.00 ms | 4.00 ms |" in readme_table([CODEC], report_data(tmp_path).test)


def test_a_terminal_shows_the_same_numbers(tmp_path: Path) -> None:
    console = Console(width=200, file=io.StringIO())

    console.print(screen_table([CNN, CODEC], report_data(tmp_path).test, "validation"))

    text = console.file.getvalue()
    assert "validation set" in text
    (row,) = (line for line in text.splitlines() if "│cnn/3" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == [
        "cnn/3",
        "1,000",
        "accuracy 0.7500",
        "0.070",
        "2.00 MB",
        "2.00 ms (×1.0)",
        "8.00 ms (×1.0)",
    ]


def test_no_number_is_broken_on_80_columns(tmp_path: Path) -> None:
    large = fake_model("logistic_regression_try", like="vae", parameters=3_256_330, quality=-240.7)
    console = Console(width=80, file=io.StringIO())

    console.print(screen_table([CNN, CODEC, large], report_data(tmp_path).test, "validation"))

    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    for number in ("3,256,330", "-240.7", "0.7500", "0.005734", "2.00 MB", "0.070", "(×1.0)"):
        assert number in text
    assert "…" not in text


def test_only_classifiers_can_be_calibrated(tmp_path: Path) -> None:
    # Always 82% sure, and right in 30 of 40.
    assert calibration_error(CNN, report_data(tmp_path).test) == f"{0.82 - 0.75:.3f}"
    assert calibration_error(CODEC, report_data(tmp_path).test) == "–"


@pytest.mark.parametrize(
    ("origin", "name", "command"),
    [
        (Origin("gru", "quick", Recipe(epochs=1)), "gru_try", "train gru --preset quick"),
        (
            Origin("gru", "quick", Recipe(epochs=1)),
            "gru",
            "train gru --preset quick --name gru",
        ),
        (
            Origin("mimic", "full", Recipe(epochs=1), "cnn_best"),
            "mimic",
            "distill mimic --teacher cnn_best --preset full",
        ),
        (
            Origin("transfer", "full", Recipe(epochs=1, pretrained="hed")),
            "transfer",
            "train transfer --preset full --weights hed",
        ),
    ],
)
def test_a_model_can_be_trained_again(origin: Origin, name: str, command: str) -> None:
    assert retrain_command(origin, name) == f"python -m training {command}"
