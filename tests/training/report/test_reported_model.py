from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from rich.console import Console

from tests.training.report.fake_models import fake_model
from training.data.fashion_mnist import Split
from training.errors import ModelRepositoryError
from training.report import reported_model
from training.report.reported_model import as_inputs, report_models
from training.zoo import find_network


def test_a_long_input_is_run_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reported_model, "MAX_BATCH", 4)
    sizes = []

    def add(left: np.ndarray, right: np.ndarray) -> dict[str, np.ndarray]:
        sizes.append(len(left))
        return {"sum": left + right, "product": left * right}

    model = fake_model("adder", serving_default=add)
    left, right = np.arange(10), np.arange(10, 20)

    np.testing.assert_array_equal(
        model.run("serving_default", "sum", left=left, right=right), left + right
    )
    assert sizes == [4, 4, 2]


def test_only_a_classifier_has_probabilities() -> None:
    model = fake_model("codec")

    assert not model.is_classifier
    with pytest.raises(ValueError, match="codec is no classifier"):
        _ = model.probabilities


def test_the_latest_version_is_measured(
    exported_cnn: Path, cnn: keras.Model, images: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "cnn" / "2").mkdir(parents=True)
    shutil.copytree(exported_cnn, tmp_path / "cnn" / "3")
    named = cnn.predict(images, verbose=0).argmax(axis=1)
    examples = Split(images[..., 0].astype(np.uint8), named.astype(np.uint8))

    (model,) = report_models(tmp_path, [find_network("cnn")], examples, Console(quiet=True))

    assert (model.name, model.version.name, model.origin.preset) == ("cnn", "3", "quick")
    assert model.measurement.quality == 1
    assert model.latency.single > 0
    np.testing.assert_array_equal(
        model.run("serving_default", "class_index", images=as_inputs(examples.images)), named
    )


def test_a_version_that_does_not_say_how_it_was_trained_is_an_error(
    exported_cnn: Path, tmp_path: Path
) -> None:
    shutil.copytree(exported_cnn, tmp_path / "cnn" / "1")
    (tmp_path / "cnn" / "1" / "assets.extra" / "training.json").unlink()
    examples = Split(np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.uint8))

    with pytest.raises(ModelRepositoryError, match="does not say how the model was trained"):
        report_models(tmp_path, [find_network("cnn")], examples, Console(quiet=True))
