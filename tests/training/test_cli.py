from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.tiny import SIZES
from training import cli
from training.data.fashion_mnist import CLASS_NAMES
from training.exporting.export import CARD_PATH

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> object:
    """Runs the command line; returns its exit status, output and error output."""
    monkeypatch.setattr(cli.console, "width", 200)

    def invoke(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        return int(ended.value.code or 0), *capsys.readouterr()

    return invoke


def test_from_data_to_report(run: object, tiny_data: Path, tmp_path: Path) -> None:
    models, runs = tmp_path / "models", tmp_path / "runs"
    data, repository = ("--data", tiny_data), ("--models", models)

    status, output, _ = run(
        "train",
        "logistic_regression",
        "--preset",
        "quick",
        *data,
        *repository,
        "--runs",
        runs,
        "--name",
        "logistic_regression",
    )
    assert status == 0
    assert f"Starting {runs}/logistic_regression-quick-" in output
    assert f"Exported {models}/logistic_regression/1: validation accuracy " in output
    card = (models / "logistic_regression" / "1" / CARD_PATH).read_text()
    assert "on the 20 images of the validation set" in card

    _, output, _ = run("list", *repository)
    (row,) = (line for line in output.splitlines() if "│ logistic_regression" in line)
    assert row.split("│")[-2].strip() == "1"

    status, output, _ = run("evaluate", "logistic_regression", *data, *repository)
    assert status == 0
    (row,) = (line for line in output.splitlines() if "│logistic_regression/1" in line)
    accuracy = row.split("│")[3].strip().removeprefix("accuracy ")
    assert float(accuracy) * SIZES["t10k"] == pytest.approx(round(float(accuracy) * 60), abs=0.01)

    status, _, _ = run("report", *data, *repository)
    assert status == 0
    (row,) = (
        line
        for line in (models / "README.md").read_text().splitlines()
        if line.startswith("| `logistic_regression`")
    )
    assert f"| 7,850 | accuracy {accuracy} |" in row
    assert (
        "`python -m training train logistic_regression --preset quick --name logistic_regression`"
    ) in row
    card = (models / "logistic_regression" / "1" / CARD_PATH).read_text()
    assert "on the 60 images of the test set" in card


def test_help_answers_in_under_a_second_of_processor_time() -> None:
    before = os.times()
    for command in ([], ["train"]):
        arguments = [sys.executable, "-m", "training", *command, "--help"]
        subprocess.run(arguments, capture_output=True, check=True, cwd=Path(__file__).parents[2])
    after = os.times()
    assert after.children_user + after.children_system < 2 + (
        before.children_user + before.children_system
    )


def test_the_list_fits_80_columns(run: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.console, "width", 80)
    _, output, _ = run("list")
    assert max(map(len, output.splitlines())) <= 80
    assert "│ logistic_regression │" in output
    assert "…" not in output


def test_samples(run: object, tiny_data: Path, tmp_path: Path) -> None:
    status, output, _ = run("samples", "--data", tiny_data, "--folder", tmp_path)

    assert status == 0
    assert len(list(tmp_path.glob("*.png"))) == len(output.splitlines()) == len(CLASS_NAMES)


def test_the_data_folder_can_come_from_the_environment(
    run: object, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASHION_MNIST_DIR", str(tiny_data))

    status, _, _ = run("samples", "--folder", tmp_path)

    assert status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "cnm"], "There is no network named 'cnm'. Known: linear_regression, "),
        (["train", "cnn", "--preset", "best"], "There is no preset named 'best'."),
        (
            ["train", "cnn", "--data", "nowhere"],
            "nowhere/train-images-idx3-ubyte.gz does not exist",
        ),
        (["evaluate", "cnm"], "There is no network named 'cnm'."),
        (["evaluate", "cnn", "--models", "nowhere"], "nowhere/cnn contains no version of a model"),
        (["report", "--data", "nowhere"], "nowhere/t10k-images-idx3-ubyte.gz does not exist"),
    ],
)
def test_an_error_that_the_user_can_fix_is_one_line_and_status_2(
    arguments: list[str], message: str, run: object
) -> None:
    status, output, error = run(*arguments)

    assert (status, output) == (2, "")
    assert error.startswith(f"Error: {message}")
    assert len(error.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_one_line_and_status_2(
    run: object, tiny_data: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")

    status, _, error = run("samples", "--data", tiny_data, "--folder", tmp_path / "file")

    assert status == 2
    assert error.startswith("Error: ")
    assert str(tmp_path / "file") in error


def test_the_screen_stays_clean_of_tensorflows_messages(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "training", "evaluate", "cnn", "--models", tmp_path],
        env={key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_cascade_is_chosen_and_drawn(
    run: object, exported_cnn: Path, tiny_data: Path, tmp_path: Path
) -> None:
    for name in ("mlp", "cnn"):
        shutil.copytree(exported_cnn, tmp_path / "models" / name / "1")
    figure = tmp_path / "cascade.png"
    names = ("--small", "mlp", "--large", "cnn")
    places = ("--data", tiny_data, "--models", tmp_path / "models", "--out", figure)

    status, output, _ = run("cascade", *names, *places)

    assert status == 0
    # The same network twice: the large one is worth nothing.
    assert "test: accuracy" in output
    assert "cnn sees 0.0% of the images, 100.0% of its parameters per image" in output
    assert output.splitlines()[-1].endswith("LECTERN_CASCADES='auto=mlp>cnn@0'")
    assert figure.read_bytes().startswith(b"\x89PNG")
