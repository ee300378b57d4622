"""Models of every kind become versions that answer as the Keras model does, run in a session."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from tests.training.keras_models import models
from training.errors import KerasModelError
from training.exporting.export import CARD_PATH, SOURCE_PATH
from training.exporting.repository import CONFIG_NAME
from training.exporting.session import SessionModel
from training.keras_models.export import Report, export_keras_model
from training.keras_models.plan import Options
from training.keras_models.reading import read_model

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


def test_a_file_of_keras_2_is_read(tmp_path: Path) -> None:
    model = models.classifier()
    path = tmp_path / "old.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["model_config"] = json.dumps(as_keras_2(json.loads(file.attrs["model_config"])))
    assert "batch_input_shape" in h5py.File(path).attrs["model_config"]
    report = export_keras_model(tmp_path / "models", "own", read_model(str(path)), Options())
    assert "saliency_gradcam" in report.signatures
    with SessionModel(report.version) as session:
        answer = session.run("serving_default", images=IMAGES)
    np.testing.assert_allclose(answer["probabilities"], model.predict(IMAGES, verbose=0), atol=1e-6)


def as_keras_2(config: Any) -> Any:
    """Returns a configuration as Keras 2 wrote it."""
    if isinstance(config, list):
        return [as_keras_2(each) for each in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return config["config"]["name"]
    names = {"batch_shape": "batch_input_shape"}
    added = {"module", "registered_name", "build_config", "optional"}
    return {names.get(k, k): as_keras_2(v) for k, v in config.items() if k not in added}


def test_a_custom_layer_is_a_layer_like_others(tmp_path: Path) -> None:
    report = export(tmp_path, models.custom())
    assert {"saliency_gradcam", "activations"} <= set(report.signatures)


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


@pytest.mark.parametrize("is_subclassed", [True, False])
def test_a_variational_autoencoder_gets_the_tasks_of_its_latent_space(
    tmp_path: Path, is_subclassed: bool
) -> None:
    encoder, decoder = models.encoder(), models.decoder()
    model = models.Variational(encoder, decoder)
    if not is_subclassed:
        model = keras.Model(encoder.inputs[0], decoder(encoder(encoder.inputs[0])[2]))
    report = export(tmp_path, model, pixels="0..1")
    assert report.kind == "variational autoencoder"
    latent_tasks = {"serving_default", "encode_latent", "decode_latent", "generate"}
    assert set(report.signatures) == latent_tasks
    images = IMAGES[:, :8, :8, :1]
    with SessionModel(report.version) as session:
        code = session.run("encode_latent", images=images)
        restored = session.run("serving_default", images=images)["images"]
    mean, log_variance, _ = encoder(images / 255)
    np.testing.assert_allclose(code["mean"], mean, atol=1e-5)
    np.testing.assert_allclose(code["log_variance"], log_variance, atol=1e-5)
    np.testing.assert_allclose(restored, 255 * decoder(mean), atol=1e-2)


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
    ("build", "inputs", "output", "explained"),
    [
        (models.words, {"words": np.array([[b"red", b"blue"]], object)}, "answer", False),
        (
            models.two_inputs,
            {"one": np.ones((2, 3), np.float32), "two": np.ones((2, 4), np.float32)},
            "sum",
            True,
        ),
        (models.recurrent, {"input_layer": np.ones((2, 10, 3), np.float32)}, None, True),
        (models.segmentation, {"input_layer": IMAGES}, None, False),
    ],
)
def test_other_models_predict_by_their_own_names(
    tmp_path, build, inputs, output, explained
) -> None:
    model = build()
    report = export(tmp_path, model)
    attributions = ["attribution_gradient_input", "attribution_integrated_gradients"]
    assert report.signatures == ["serving_default", *(attributions if explained else [])]
    assert explained == ("attribution" not in report.skipped)
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
        (models.total, {}, "The output total is one number for a whole batch"),
    ],
)
def test_what_is_missing_or_wrong_is_one_clear_sentence(tmp_path, build, options, message) -> None:
    with pytest.raises(KerasModelError, match=message):
        export(tmp_path, build(), **options)
    assert not list((tmp_path / "models").glob("own/*"))


def test_the_card_says_what_the_model_takes_and_how_it_was_checked(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("daisy\nrose\ntulip\n")
    report = export(tmp_path, models.classifier(), labels=str(tmp_path / "labels.txt"))
    card = (report.version / CARD_PATH).read_text()
    assert card.startswith("# own\n\nA classifier, exported from `saved.keras` with every task")
    assert f"| parameters | {models.classifier().count_params()} |" in card
    [error] = re.findall(r"^\| relative error of integrated gradients \| (.+) \|$", card, re.M)
    assert 0 <= float(error) < 0.05
    assert "- images float32[N, 16, 12, 3]\n- 3 classes: daisy, rose, tulip\n" in card
    assert "rescales them itself" in card
    assert "| `class_labels` | `class_index` int32[N] | `label` string[N] |" in card
    assert "| labels | labels.txt |" in card


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
