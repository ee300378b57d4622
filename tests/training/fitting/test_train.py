from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.errors import ModelRepositoryError, UnknownNameError
from training.exporting.export import Origin, export, read_origin
from training.exporting.repository import versions
from training.exporting.session import SessionModel
from training.fitting.train import Folders, export_again, load_network, train
from training.zoo import find_network

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# Dies as a process does that runs out of memory: between the SavedModel and its warm-up requests.
KILLED_WHILE_EXPORTING = """
import os, signal, sys
from pathlib import Path
from tests.training.tiny import run_cli
from training.exporting import export

export.write_warmup_requests = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
models, runs = sys.argv[2:]
command = ["train", "logistic_regression", "--preset", "quick", "--models", models, "--runs", runs]
run_cli(Path(sys.argv[1]), command)
"""


def test_a_killed_training_leaves_nothing_half_written_and_goes_on(
    tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models, runs = tmp_path / "models", tmp_path / "runs"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_EXPORTING, tiny_data, models, runs],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert "Epoch 5/5" in killed.stdout
    assert (models / "logistic_regression" / ".partial" / "saved_model.pb").exists()
    assert versions(models, "logistic_regression") == []
    assert not (models / "models.config").exists()

    version = train("logistic_regression", "quick", Folders(tiny_data, models, runs))

    assert "Epoch" not in capsys.readouterr().out
    assert [path.name for path in (models / "logistic_regression").iterdir()] == ["1"]
    assert [path.name for path in runs.iterdir()] == ["logs"]
    with SessionModel(version) as model:
        assert "serving_default" in model.signatures


@pytest.mark.parametrize(("name", "preset"), [("cnm", "quick"), ("cnn", "best")])
def test_an_unknown_name_fails_before_any_work(name: str, preset: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        train(name, preset, Folders(tmp_path / "no data", tmp_path / "models", tmp_path / "runs"))

    assert list(tmp_path.iterdir()) == []


def test_exporting_again_keeps_weights_and_origin_and_adds_a_version(tmp_path: Path) -> None:
    entry = find_network("svm")
    model = entry.build()
    model.get_layer("logits").bias.assign(np.arange(10))
    origin = Origin("svm", "quick", entry.recipe("quick"))
    export(tmp_path, entry.signatures(model), origin)

    version = export_again(tmp_path, "svm")

    assert version == tmp_path / "svm" / "2"
    assert read_origin(version) == origin
    bias = load_network(tmp_path, "svm").get_layer("logits").bias
    np.testing.assert_array_equal(bias, np.arange(10))


def test_a_teacher_that_was_never_trained_fails_before_any_work(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "no data", tmp_path / "models", tmp_path / "runs")

    with pytest.raises(ModelRepositoryError, match="python -m training train cnn_best"):
        train("mimic", "quick", folders)

    assert list(tmp_path.iterdir()) == []
