from __future__ import annotations

import dataclasses
import socket
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from flask import Flask

from services.client import (
    Client,
    GatewayConnectionError,
    GatewayError,
    GatewayTimeoutError,
    ProblemError,
    Signature,
    TensorSpec,
)
from services.gateway.app import create_app
from services.serving_api.tensors import to_ndarray
from tests.fakes import FakeVersion, classify, quadrants
from tests.processes import free_port
from tests.services.gateway.images import GREY, PNG

CODE = np.array([[0, 50, 100, 200]], np.uint8)
IMAGE = quadrants(CODE)[0, ..., 0].astype(np.uint8)


def test_models_lists_versions_tasks_and_classes(connected):
    classifier, half_plus_two = connected.models()
    assert (classifier.name, classifier.tasks) == ("classifier", ["predict", "saliency"])
    assert [(each.version, each.state) for each in classifier.versions] == [(1, "AVAILABLE")]
    assert classifier.classes == ["zero", "one", "two"]
    assert classifier.saliency_methods == ["gradient", "occlusion", "rise"]
    assert (half_plus_two.name, half_plus_two.tasks) == ("half_plus_two", ["predict"])


def test_metadata_has_the_signatures(connected):
    metadata = connected.metadata("half_plus_two")
    assert (metadata.model, metadata.version) == ("half_plus_two", 1)
    x, y = TensorSpec("DT_FLOAT", [-1]), TensorSpec("DT_FLOAT", [-1])
    assert metadata.signatures == {"serving_default": Signature({"x": x}, {"y": y})}


def test_every_form_of_an_image_is_predicted_alike(connected, fake, tmp_path: Path):
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    images = [path, str(path), PNG, GREY, PIL.Image.fromarray(GREY)]
    predictions = connected.predict("classifier", images, top=2)
    names = ["a.png", "a.png", "image", "array.png", "image.png"]
    assert [prediction.file for prediction in predictions] == names
    received = to_ndarray(fake.requests[-1].inputs["images"])[..., 0]
    np.testing.assert_array_equal(received, np.stack([GREY] * len(images)))
    expected = classify({"images": GREY[np.newaxis].astype(np.float32)})["class_index"][0]
    assert predictions[0].class_index == expected
    assert len(predictions[0].top) == 2
    assert predictions[0].top[0].label == predictions[0].label


def test_one_image_may_stand_alone(connected):
    assert len(connected.predict("classifier", GREY)) == 1
    assert len(connected.predict("classifier", np.stack([GREY, GREY])[..., np.newaxis])) == 2


def test_version_and_label_choose_the_version_that_answers(connected, fake):
    fake.models["classifier"][2] = FakeVersion(fake.models["classifier"][1].signatures)
    fake.labels["stable"] = 1
    assert connected.predict("classifier", GREY)[0].version == 2
    assert connected.predict("classifier", GREY, version=1)[0].version == 1
    assert connected.saliency("classifier", GREY, label="stable", invert=True)[0].version == 1
    with pytest.raises(ValueError, match=r"version=1 and label='stable', expected one"):
        connected.predict("classifier", GREY, version=1, label="stable")


def test_a_prediction_of_a_cascade_names_the_model_that_answered(
    settings, model_server, fake, serve
):
    fake.models["large"] = {3: FakeVersion(fake.models["classifier"][1].signatures)}
    changes = {"cascades": ("auto=classifier>large@1",), "models": ("classifier", "large")}
    changed = settings.model_copy(update=changes)
    with Client(serve(create_app(changed, model_server))) as client:
        [prediction] = client.predict("auto", GREY)
        assert (prediction.model, prediction.version) == ("large", 3)
        [*_, auto] = client.models()
    assert auto.cascade is not None
    assert dataclasses.astuple(auto.cascade) == ("classifier", "large", 1.0)


def test_predict_needs_a_classifier(connected):
    with pytest.raises(GatewayError, match=r"'inverter' answered numbers without classes"):
        connected.predict("inverter", np.zeros((2, 2, 3), np.uint8))


def test_saliency_and_the_inside_of_a_model(connected):
    [explanation] = connected.saliency("classifier", GREY, class_index=1)
    assert (explanation.class_index, explanation.label) == (1, "one")
    assert (explanation.method, explanation.details) == ("gradient", {})
    assert explanation.scores is None
    assert explanation.attribution.shape == (28, 28)
    [activation] = connected.activations("layered", [GREY], layer="dense")
    np.testing.assert_array_equal(activation.activation, GREY.ravel()[:5])
    found = connected.visualize("layered", layer="conv", channels=[1, 0], seed=2)
    assert [(each.channel, each.activation) for each in found] == [(1, 3.0), (0, 2.0)]
    np.testing.assert_array_equal(found[0].image, np.full((28, 28), 10))
    for result in (explanation, activation, *found):
        assert result.version == 1


def test_a_plain_export_is_predicted_and_explained(connected):
    [prediction] = connected.predict("plain", GREY, top=2)
    assert prediction.label is None
    assert prediction.score == prediction.probability == prediction.top[0].score
    [explanation] = connected.saliency("plain", GREY, score=True)
    assert explanation.method == "occlusion"
    assert explanation.scores is not None
    assert explanation.scores.deletion < explanation.scores.insertion
    assert explanation.scores.deletion_curve[0] == pytest.approx(prediction.probability, rel=1e-4)
    assert explanation.scores.insertion_curve.shape == (29,)
    [first], [second] = (
        connected.saliency("plain", GREY, method="rise", masks=20, seed=seed) for seed in (1, 2)
    )
    assert (first.attribution != second.attribution).any()


def test_generate_takes_seeds_images_and_latent_vectors(connected):
    samples = connected.generate("generator", count=2, seed=4)
    assert [sample.seed for sample in samples] == [4, 5]
    [decoded] = connected.generate("generator", latent=samples[0].latent[np.newaxis])
    np.testing.assert_array_equal(decoded.image, samples[0].image)
    walk = connected.generate("generator", [IMAGE, 255 - IMAGE], steps=3)
    assert [sample.version for sample in walk] == [1, 1, 1]
    np.testing.assert_array_equal(walk[0].image, IMAGE)
    with pytest.raises(ValueError, match=r"images and \['latent'\]"):
        connected.generate("generator", [IMAGE, IMAGE], latent=[[0, 0, 0, 0]])


def test_generate_text_continues_one_prompt_or_several(connected):
    texts = connected.generate_text("writer", "Größe", count=2, seed=4, temperature=0.5)
    assert [(each.prompt, each.seed, each.text) for each in texts] == [
        ("Größe", 4, " ‹5 letters, seed 4, 0.5°›"),
        ("Größe", 5, " ‹5 letters, seed 5, 0.5°›"),
    ]
    assert {(each.model, each.version) for each in texts} == {("writer", 1)}
    several = connected.generate_text("writer", ("a", "bc"), version=1)
    assert [each.text for each in several] == [
        " ‹1 letters, seed 0, 1.0°›",
        " ‹2 letters, seed 0, 1.0°›",
    ]
    with pytest.raises(ProblemError, match=r"400: .*no task 'generate_text'"):
        connected.generate_text("generator", "a")


def test_decompress_restores_what_compress_made(connected):
    code = connected.compress("codec", [IMAGE, 255 - IMAGE])
    assert (code.model, code.version) == ("codec", 1)
    assert code.content.startswith(b"LCTC")
    for received in (code, code.content):
        restored = connected.decompress("codec", received)
        np.testing.assert_array_equal([each.image for each in restored], [IMAGE, 255 - IMAGE])
        assert [each.version for each in restored] == [1, 1]


def test_an_error_has_the_gateways_detail(connected, fake):
    with pytest.raises(GatewayError, match=r"404: .*nope") as caught:
        connected.predict("nope", [PNG])
    assert isinstance(caught.value, ProblemError)
    assert caught.value.status == 404
    assert "nope" in caught.value.detail
    fake.stop()
    with pytest.raises(ProblemError) as caught:
        connected.models()
    assert caught.value.status == 503
    assert caught.value.retry_after


def test_the_timeout_is_the_gateways_deadline(url, fake):
    with Client(url, timeout=0.5) as client:
        client.predict("classifier", GREY)
        fake.delay = 3
        with pytest.raises(ProblemError) as caught:
            client.predict("classifier", GREY)
    assert caught.value.status == 504


def test_a_silent_gateway_is_a_timeout(monkeypatch):
    monkeypatch.setattr("services.client.client._MARGIN_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url, timeout=0.2) as client, pytest.raises(GatewayTimeoutError, match=url):
            client.models()


def test_no_gateway_is_a_connection_error():
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url) as client, pytest.raises(GatewayConnectionError, match=url):
        client.models()


def test_another_server_is_named(serve):
    other = Flask("other")
    other.add_url_rule("/v1/models", view_func=lambda: "hello")
    with Client(serve(other)) as client, pytest.raises(GatewayError, match="expected a JSON"):
        client.models()


def test_the_api_key_is_sent(settings, model_server, serve, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("tests:0123456789abcdef\n")
    url = serve(create_app(settings.model_copy(update={"api_keys_file": keys}), model_server))
    with Client(url) as client, pytest.raises(ProblemError, match="401"):
        client.models()
    with Client(url, api_key="0123456789abcdef") as client:
        assert len(client.models()) == 2
