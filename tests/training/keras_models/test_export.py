"""Models of every kind become versions that answer as the Keras model does, run in a session."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.keras_models import models
from training.errors import KerasModelError
from training.exporting.repository import CONFIG_NAME
from training.exporting.session import SessionModel
from training.keras_models.export import SOURCE_PATH, Report, export_keras_model
from training.keras_models.reading import read_model
from training.keras_models.tasks import Options

EXPLAINED = {
    "serving_default",
    "predict_bytes",
    "class_labels",
    "saliency_gradient",
    "saliency_smoothgrad",
    "saliency_integrated_gradients",
}
IMAGES = np.random.default_rng(1).uniform(0, 255, (3, 16, 12, 3)).astype(np.float32)


def export(folder: Path, model: keras.Model, suffix: str = ".keras", **options: object) -> Report:
    path = folder / f"saved{suffix}"
    model.save(path)
    source = read_model(str(path))
    return export_keras_model(folder / "models", "own", source, Options(**options), path.name)


def test_a_classifier_gets_every_task(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("daisy\nrose\ntulip\n")
    model = models.classifier()
    report = export(tmp_path, model, labels=str(tmp_path / "labels.txt"))
    assert report.kind == "classifier"
    assert set(report.signatures) == EXPLAINED | {
        "saliency_gradcam",
        "activations",
        "feature_visualization_first",
        "feature_visualization_second",
    }
    assert report.skipped == {}
    assert report.difference < 1e-5
    assert report.convergence < 0.05
    assert 'name: "own"' in (tmp_path / "models" / CONFIG_NAME).read_text()
    assert json.loads((report.version / SOURCE_PATH).read_text())["source"] == "saved.keras"
    with SessionModel(report.version) as session:
        answer = session.run("serving_default", images=IMAGES)
        expected = model.predict(IMAGES, verbose=0)
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
        names = np.array([b"daisy", b"rose", b"tulip"], object)
        assert list(answer["label"]) == list(names[expected.argmax(axis=1)])
        layers = session.run("activations", images=IMAGES)
        assert layers["first"].shape == (3, 14, 10, 4)


def test_a_keras_2_file_with_linear_logits_and_labels(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text('["a", "b", "c"]')
    model = models.classifier(activation="linear")
    labels = str(tmp_path / "labels.json")
    report = export(tmp_path, model, ".h5", labels=labels)
    with SessionModel(report.version) as session:
        answer = session.run("serving_default", images=IMAGES)
    np.testing.assert_allclose(answer["logits"], model.predict(IMAGES, verbose=0), atol=1e-5)


def test_one_sigmoid_becomes_two_classes(tmp_path: Path) -> None:
    model = models.classifier("sigmoid", classes=1)
    report = export(tmp_path, model)
    with SessionModel(report.version) as session:
        answer = session.run("serving_default", images=IMAGES)
    probability = model.predict(IMAGES, verbose=0)[:, 0]
    np.testing.assert_allclose(answer["probabilities"][:, 1], probability, atol=1e-6)
    np.testing.assert_allclose(answer["probabilities"].sum(axis=1), 1, atol=1e-6)
    assert list(answer["class_index"]) == list((probability > 0.5).astype(int))


def test_several_sigmoids_do_not_exclude_each_other(tmp_path: Path) -> None:
    model = models.classifier("sigmoid", classes=3)
    report = export(tmp_path, model)
    assert report.kind == "multi-label classifier"
    with SessionModel(report.version) as session:
        answer = session.run("serving_default", images=IMAGES)
    np.testing.assert_allclose(answer["probabilities"], model.predict(IMAGES, verbose=0), atol=1e-6)


def test_nested_layers_are_laid_open(tmp_path: Path) -> None:
    model = models.nested()
    report = export(tmp_path, model, pixels="0..1")
    assert "saliency_gradcam" in report.signatures
    with SessionModel(report.version) as session:
        assert "inner" in session.run("activations", images=IMAGES)
        answer = session.run("serving_default", images=IMAGES)
    expected = model.predict(IMAGES / 255, verbose=0)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)


def test_images_of_any_size_are_brought_to_one(tmp_path: Path) -> None:
    report = export(tmp_path, models.any_size(), pixels="0..255", image_size=(10, 14))
    with SessionModel(report.version) as session:
        shape = session.signatures["serving_default"].inputs["images"].tensor_shape
        assert [dim.size for dim in shape.dim] == [-1, 10, 14, 1]


def test_a_subclassed_model_says_why_its_layers_are_missing(tmp_path: Path) -> None:
    model = models.Subclassed()
    model(np.zeros((1, 16, 12, 3), np.float32))
    report = export(tmp_path, model, pixels="0..255", logits=True)
    assert set(report.signatures) == EXPLAINED
    assert set(report.skipped) == {"saliency_gradcam", "activations", "visualize"}
    assert "subclassed" in report.skipped["activations"]


def test_an_autoencoder_gets_both_halves_from_its_codes_layer(tmp_path: Path) -> None:
    model = models.autoencoder()
    report = export(tmp_path, model, pixels="0..1", encoder="code")
    assert set(report.signatures) == {"serving_default", "compress", "decompress"}
    images = IMAGES[:, :8, :8, :1]
    with SessionModel(report.version) as session:
        code = session.run("compress", images=images)["code"]
        restored = session.run("decompress", code=code)["images"]
    assert code.shape == (3, 4)
    np.testing.assert_allclose(restored, 255 * model.predict(images / 255, verbose=0), atol=1e-2)


def test_an_autoencoder_without_named_halves_says_how_to_name_them(tmp_path: Path) -> None:
    report = export(tmp_path, models.autoencoder(), pixels="0..1")
    assert report.signatures == ["serving_default"]
    assert "--encoder" in report.skipped["compress"]


def test_a_decoder_generates(tmp_path: Path) -> None:
    report = export(tmp_path, models.generator(), pixels="-1..1")
    assert set(report.signatures) == {"serving_default", "decode_latent", "generate"}
    with SessionModel(report.version) as session:
        seed, temperature = np.array([7], np.int64), np.ones(1, np.float32)
        images = session.run("generate", seed=seed, temperature=temperature)["images"]
    assert images.shape == (1, 8, 8, 1)
    assert images.min() >= 0
    assert images.max() <= 255


@pytest.mark.parametrize(
    ("build", "inputs", "output"),
    [
        (models.words, {"words": np.array([[b"red", b"blue"]], object)}, "answer"),
        (
            models.two_inputs,
            {"one": np.ones((2, 3), np.float32), "two": np.ones((2, 4), np.float32)},
            "sum",
        ),
        (models.recurrent, {"input_layer": np.ones((2, 10, 3), np.float32)}, None),
        (models.segmentation, {"input_layer": IMAGES}, None),
    ],
)
def test_other_models_predict_by_their_own_names(tmp_path, build, inputs, output) -> None:
    model = build()
    report = export(tmp_path, model)
    assert report.signatures == ["serving_default"]
    assert "not an image classifier" in report.skipped["saliency"]
    with SessionModel(report.version) as session:
        names = list(session.signatures["serving_default"].inputs)
        # Keras numbers the names that it gives.
        named = inputs if len(names) > 1 else {names[0]: next(iter(inputs.values()))}
        answer = session.run("serving_default", **named)
    if output is not None:
        assert set(answer) == {output}
    # In the order of the model's inputs, which that of the signature's is not.
    tensors = [keras.ops.convert_to_tensor(values) for values in inputs.values()]
    expected = model(tensors if len(tensors) > 1 else tensors[0])
    [actual] = answer.values()
    np.testing.assert_allclose(actual, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "options", "message"),
    [
        (models.nested, {}, "does not say which pixel range"),
        (models.nested, {"pixels": "0..2"}, "expected one of 0..255"),
        (models.any_size, {"pixels": "0..255"}, "--image-size HEIGHTxWIDTH"),
        (models.any_size, {"pixels": "imagenet", "image_size": (8, 8)}, "images of 3 channels"),
        (models.classifier, {"image_size": (8, 8)}, "the model takes images of 16x12"),
        (models.classifier, {"labels": "missing.txt"}, "cannot be read"),
        (models.classifier, {"visualize": ["third"]}, r"no layers \['third'\]; it has"),
        (models.segmentation, {"labels": "labels.txt"}, "which is for image classifiers"),
        (models.autoencoder, {"pixels": "0..1", "encoder": "none"}, "no layer none; it has"),
        (models.autoencoder, {"pixels": "caffe"}, "3 channels|expected 0..255"),
    ],
)
def test_what_is_missing_or_wrong_is_one_clear_sentence(tmp_path, build, options, message) -> None:
    with pytest.raises(KerasModelError, match=message):
        export(tmp_path, build(), **options)
    assert not list((tmp_path / "models").glob("own/*"))


def test_labels_of_the_wrong_number_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("label,count\na,1\nb,2\n")
    with pytest.raises(KerasModelError, match="holds 2 labels; the model has 3 classes"):
        export(tmp_path, models.classifier(), labels=str(tmp_path / "labels.csv"))


def test_linear_outputs_are_no_classes_unless_one_says_so(tmp_path: Path) -> None:
    report = export(tmp_path, models.classifier("linear"))
    assert report.signatures == ["serving_default"]
    assert "--logits" in report.skipped["saliency"]


def test_an_export_that_answers_otherwise_is_not_published(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("training.keras_models.export.TOLERANCE", -1.0)
    with pytest.raises(KerasModelError, match="differ from the Keras model's by"):
        export(tmp_path, models.classifier())
    assert not list((tmp_path / "models" / "own").iterdir())
