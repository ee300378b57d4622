from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from training.data import Split
from training.errors import ModelRepositoryError
from training.report import write_report


@pytest.fixture
def models(exported_cnn: Path, tmp_path: Path) -> Path:
    """A repository with one version of the CNN."""
    shutil.copytree(exported_cnn, tmp_path / "cnn" / "3")
    return tmp_path


@pytest.fixture
def test_set(images: np.ndarray) -> Split:
    return Split(images[..., 0].astype(np.uint8), np.arange(5, dtype=np.uint8))


def test_it_has_one_row_a_model_and_is_the_same_every_time(models: Path, test_set: Split) -> None:
    first = write_report(models, test_set).read_text()
    second = write_report(models, test_set).read_text()

    assert first == second
    rows = [line for line in first.splitlines() if line.startswith("| `")]
    assert len(rows) == 1
    assert rows[0].startswith("| `cnn` | 3 | classification |")
    assert "the 5 images of the test set" in first.replace("\n", " ")


def test_a_model_that_cannot_be_loaded_is_not_left_out(models: Path, test_set: Split) -> None:
    (models / "cnn" / "3" / "saved_model.pb").unlink()

    with pytest.raises(ModelRepositoryError, match="cnn/3 cannot be loaded"):
        write_report(models, test_set)

    assert not (models / "README.md").exists()
