from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.session_model import SessionModel
from training.errors import UnknownNameError
from training.repository import versions
from training.train import Places, train

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# Dies as a process does that runs out of memory: between the SavedModel and its warm-up requests.
KILLED_WHILE_EXPORTING = """
import os, signal, sys
from pathlib import Path
from tests.training.tiny import run_cli
from training import export

export.write_warmup_requests = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
models, runs = sys.argv[2:]
command = ["train", "cnn", "--preset", "quick", "--models", models, "--runs", runs]
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
        cwd=Path(__file__).parents[2],
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert "Epoch 3/3" in killed.stdout
    assert (models / "cnn" / ".partial" / "saved_model.pb").exists()
    assert versions(models, "cnn") == []
    assert not (models / "models.config").exists()

    version = train("cnn", "quick", Places(tiny_data, models, runs))

    assert "Epoch" not in capsys.readouterr().out
    assert [path.name for path in (models / "cnn").iterdir()] == ["1"]
    assert list(runs.iterdir()) == []
    with SessionModel(version) as model:
        assert "serving_default" in model.signatures


@pytest.mark.parametrize(("name", "preset"), [("cnm", "quick"), ("cnn", "best")])
def test_an_unknown_name_fails_before_any_work(name: str, preset: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        train(name, preset, Places(tmp_path / "no data", tmp_path / "models", tmp_path / "runs"))

    assert list(tmp_path.iterdir()) == []
