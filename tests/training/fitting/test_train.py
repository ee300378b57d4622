from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest

from training.errors import (
    ModelRepositoryError,
    PretrainedWeightsError,
    UnknownNameError,
    WorseModelError,
)
from training.exporting.export import Origin, export, read_origin
from training.exporting.repository import versions
from training.exporting.session import SessionModel
from training.fitting.execution import Job
from training.fitting.train import Folders, export_again, load_network, plan_training, train
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
command += ["--name", "logistic_regression"]
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

    folders = Folders(tiny_data, models, runs)
    training = plan_training("logistic_regression", "quick", folders, "logistic_regression")
    assert str(training).startswith(f"Resuming {training.run_folder}: logistic_regression, to ")
    version, comparison = train(training)

    assert "Epoch" not in capsys.readouterr().out
    assert [path.name for path in (models / "logistic_regression").iterdir()] == ["1"]
    assert [path.name for path in runs.iterdir()] == ["logs"]
    assert comparison.replaced is None
    with SessionModel(version) as model:
        assert "serving_default" in model.signatures


def no_folders(folder: Path) -> Folders:
    return Folders(folder / "no data", folder / "models", folder / "runs")


@pytest.mark.parametrize(("name", "preset"), [("cnm", "quick"), ("cnn", "best")])
def test_an_unknown_name_fails_before_any_work(name: str, preset: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        plan_training(name, preset, no_folders(tmp_path))

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
    bias = load_network(version).get_layer("logits").bias
    np.testing.assert_array_equal(bias, np.arange(10))


def test_a_teacher_that_was_never_trained_fails_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ModelRepositoryError, match="python -m training train cnn_best"):
        plan_training("mimic", "quick", no_folders(tmp_path))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("network", "weights", "message"),
    [
        ("cnn", "hed", "are for frozen layers; cnn has none: leave it out"),
        ("transfer", "imagnet", "Received the weights 'imagnet'. Expected `imagenet`"),
        ("transfer", "nowhere.weights.h5", "Received the weights 'nowhere.weights.h5'. Expected"),
    ],
)
def test_weights_of_an_unknown_kind_fail_before_any_work(
    network: str, weights: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(PretrainedWeightsError, match=message):
        plan_training(network, "quick", no_folders(tmp_path), pretrained=weights)


def test_a_distillation_says_which_run_of_which_teacher_it_resumes(
    tiny_data: Path, tmp_path: Path
) -> None:
    folders = Folders(tiny_data, tmp_path / "models", tmp_path / "runs")
    entry = find_network("cnn_best")
    for number in (1, 2):
        origin = Origin("cnn_best", "quick", entry.recipe("quick"))
        export(tmp_path / "models", entry.signatures(entry.build())[:1], origin)
        training = plan_training("mimic", "quick", folders)
        assert training.run_folder.name.endswith(f"-cnn_best-{number}")
        assert f"mimic, distilled from {tmp_path}/models/cnn_best/{number}, to" in str(training)


def test_a_worse_network_is_published_only_if_asked_for(tiny_data: Path, tmp_path: Path) -> None:
    folders = Folders(tiny_data, tmp_path / "models", tmp_path / "runs")
    training = plan_training("logistic_regression", "quick", folders, "logistic_regression")
    perfect = find_network("logistic_regression").build()
    # The two rows that each class of the tiny data lights.
    kernel = np.zeros((28, 28, 10), np.float32)
    for label in range(10):
        kernel[label * 2 + 4 : label * 2 + 6, :, label] = 1
    perfect.get_layer("logits").kernel.assign(kernel.reshape(784, 10))
    signatures = find_network("logistic_regression").signatures(perfect)
    old = export(folders.models, signatures, training.origin)
    good = perfect.get_weights()
    worse = find_network("logistic_regression").build()
    worse.set_weights([np.zeros_like(good[0]), np.eye(10, dtype=np.float32)[0]])

    with train_to(worse), pytest.raises(WorseModelError) as refused:
        train(training)
    assert f"0.1500, 1.000 in {old}. Nothing was published" in str(refused.value)
    assert "--publish-worse" in str(refused.value)
    assert versions(folders.models, "logistic_regression") == [1]
    assert training.run_folder.exists()

    with train_to(worse):
        version, comparison = train(training, publish_worse=True)
    assert (version.name, comparison.replaced, comparison.is_worse) == ("2", old, True)
    assert not training.run_folder.exists()

    attempt = plan_training("logistic_regression", "quick", folders)
    export(folders.models, signatures, attempt.origin, attempt.name)
    with train_to(worse):
        version, _ = train(attempt)
    assert version == folders.models / "logistic_regression_try" / "2"


@contextmanager
def train_to(model: keras.Model) -> Iterator[None]:
    """Lets a training end in a given model."""

    def trained(_: object, job: Job) -> keras.Model:
        job.run_folder.mkdir(parents=True, exist_ok=True)
        return model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.fitting.train.train_on", trained)
        yield
