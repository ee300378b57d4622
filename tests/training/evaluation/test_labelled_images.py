from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.keras_models import models
from training import cli
from training.errors import ModelRepositoryError
from training.evaluation.labelled_images import measure_labelled_images
from training.exporting.export import read_origin
from training.keras_models.export import export_keras_model
from training.keras_models.plan import Options
from training.keras_models.reading import Source


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier that tells red, green and blue images apart."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "labels.txt").write_text("red\ngreen\nblue\n")
    model = models.brightest_channel()
    options = Options(labels=str(folder / "labels.txt"), pixels="0..1")
    return export_keras_model(folder / "models", "colours", Source(model), options).version


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two images of red, one of which is green, and one of blue."""
    for name, colour in (("red/1", "red"), ("red/2", "green"), ("blue/1", "blue")):
        path = tmp_path / "images" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 30), colour).save(path)
    return tmp_path / "images"


def test_the_share_of_right_images_is_counted(version: Path, images: Path) -> None:
    measured = measure_labelled_images(version, images)
    assert measured.count == 3
    np.testing.assert_allclose((measured.top_1, measured.top_5), (2 / 3, 1))


def test_the_command_measures_own_models(
    version: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", "colours", "--images", images, "--models", version.parents[1]]
    with pytest.raises(SystemExit, match="0"):
        cli.main([str(part) for part in command])
    assert "colours/1: accuracy 0.6667, among the five" in capsys.readouterr().out


def test_unknown_folders_and_empty_ones_are_one_sentence(
    version: Path, images: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        ModelRepositoryError, match=r"no images; expected one folder .*images/red/red"
    ):
        measure_labelled_images(version, images / "red")
    (images / "red").rename(images / "purple")
    with pytest.raises(ModelRepositoryError, match="folders purple, which are no labels"):
        measure_labelled_images(version, images)


def test_a_model_without_classes_is_refused(tmp_path: Path, images: Path) -> None:
    report = export_keras_model(tmp_path, "sums", Source(models.two_inputs()), Options())
    with pytest.raises(ModelRepositoryError, match="is not a classifier of image files"):
        measure_labelled_images(report.version, images)


def test_the_measure_of_the_zoo_names_the_command(version: Path) -> None:
    with pytest.raises(ModelRepositoryError, match="evaluate colours --images FOLDER"):
        read_origin(version)
