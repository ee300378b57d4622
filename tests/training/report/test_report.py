from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from training.data.fashion_mnist import Split
from training.errors import ModelRepositoryError
from training.exporting.export import CARD_PATH
from training.report.report import write_report


@pytest.fixture
def models(exported_cnn: Path, tmp_path: Path) -> Path:
    """A repository with one version of the CNN."""
    shutil.copytree(exported_cnn, tmp_path / "cnn" / "3")
    return tmp_path


@pytest.fixture
def test_set(images: np.ndarray) -> Split:
    return Split(images[..., 0].astype(np.uint8), np.arange(5, dtype=np.uint8))


def test_a_real_model_has_its_row_its_card_and_the_sections_that_are_about_it(
    models: Path, test_set: Split
) -> None:
    readme = write_report(models, test_set).read_text()

    rows = [line for line in readme.splitlines() if line.startswith("| `")]
    assert len(rows) == 1
    assert rows[0].startswith("| `cnn` | 3 | classification |")
    assert "the 5 images of the test set" in readme.replace("\n", " ")
    pictures = re.findall(r"\((figures/.+?)\)", readme)
    assert pictures == [
        f"figures/{name}.png"
        for name in (
            *("confusion", "calibration", "saliency", "feature_visualization", "optimizers"),
            *("approximation", "curves"),
        )
    ]
    for picture in pictures:
        assert (models / picture).stat().st_size < 250_000
    card = (models / "cnn" / "3" / CARD_PATH).read_text()
    assert (
        "| `saliency_gradcam` | `class_index` int32 [N], `images` float32 [N, 28, 28, 1] |" in card
    )


def test_a_model_that_cannot_be_loaded_is_not_left_out(models: Path, test_set: Split) -> None:
    (models / "cnn" / "3" / "saved_model.pb").unlink()

    with pytest.raises(ModelRepositoryError, match="cnn/3 cannot be loaded"):
        write_report(models, test_set)

    assert not (models / "README.md").exists()
