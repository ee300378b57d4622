"""Files, builders and networks of keras.applications; each bad source is one clear sentence."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.keras_models import models
from training.errors import KerasModelError
from training.keras_models.reading import read_model


def test_weights_find_their_builder(tmp_path: Path) -> None:
    model = models.classifier()
    path = tmp_path / "own.weights.h5"
    model.save_weights(path)
    read = read_model(str(path), builder="tests.training.keras_models.models:classifier").model
    images = np.ones((1, 16, 12, 3), np.float32)
    np.testing.assert_array_equal(read(images), model(images))


def test_a_network_of_keras_applications_brings_its_family(monkeypatch) -> None:
    built = models.classifier("linear", classes=1000)

    def build(weights: str | None, classifier_activation: str | None) -> keras.Model:
        assert (weights, classifier_activation) == (None, None)
        return built

    build.__module__ = "keras.src.applications.mobilenet_v2"
    monkeypatch.setattr(keras.applications, "MobileNetV2", build)
    source = read_model("keras:MobileNetV2")
    assert (source.family, source.has_imagenet_classes) == ("mobilenet_v2", True)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("missing.keras", {}, "There is no file missing.keras; expected a .keras or .h5 file"),
        ("keras:NoNet", {}, "keras.applications has no NoNet. Known: .*MobileNetV2"),
        ("own.keras", {"weights": "imagenet"}, "has weights of its own: leave it out"),
        ("own.keras", {"builder": "a:b"}, "own.keras is not one: leave it out"),
        ("{folder}/notes.txt", {}, "expected a file that ends in .keras, .h5"),
        ("{folder}/broken.keras", {}, "cannot be loaded"),
        ("{folder}/own.weights.h5", {}, "Name the function that builds it with --builder"),
        ("{folder}/own.weights.h5", {"builder": "nonsense"}, "expected module:function"),
        ("{folder}/own.weights.h5", {"builder": "no.such:function"}, "cannot be imported"),
        (
            "{folder}/own.weights.h5",
            {"builder": "tests.training.keras_models.models:missing"},
            "has no function missing",
        ),
        (
            "{folder}/own.weights.h5",
            {"builder": "tests.training.keras_models.models:two_inputs"},
            "does not fit the model",
        ),
    ],
)
def test_a_source_that_cannot_be_read(tmp_path: Path, source, options, message) -> None:
    (tmp_path / "notes.txt").write_text("no model")
    (tmp_path / "broken.keras").write_bytes(b"no zip file")
    models.classifier().save_weights(tmp_path / "own.weights.h5")
    with pytest.raises(KerasModelError, match=message):
        read_model(source.format(folder=tmp_path), **options)


def test_an_unknown_custom_layer_says_how_to_make_it_known(tmp_path: Path) -> None:
    class Doubled(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    model = keras.Sequential([keras.Input((3,)), Doubled()])
    model.save(tmp_path / "custom.keras")
    keras.saving.get_custom_objects().clear()
    with pytest.raises(KerasModelError, match="--custom"):
        read_model(str(tmp_path / "custom.keras"))
