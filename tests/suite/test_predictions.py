"""Predictions and explanations through every API of the suite."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
import requests
from PIL import Image
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from services.serving_api.tensors import to_ndarray, to_tensor_proto
from tests.processes import SAMPLES, wait_until
from training.data.fashion_mnist import CLASS_NAMES, slug

FILES = sorted(SAMPLES.glob("*.png"))


def post_image(url: str, path, **query) -> requests.Response:
    headers = {"Content-Type": "image/png"}
    return requests.post(url, path.read_bytes(), params=query, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def channel(suite):
    with grpc.insecure_channel(f"127.0.0.1:{suite.ports['GRPC_PORT']}") as opened:
        yield opened


def test_there_is_one_sample_of_each_class():
    assert {path.stem for path in FILES} == {slug(name) for name in CLASS_NAMES}


def test_at_least_nine_of_the_ten_samples_are_classified_correctly(suite):
    right = 0
    for path in FILES:
        answer = post_image(f"{suite.gateway}/v1/models/cnn:predict", path)
        assert answer.status_code == 200, answer.text
        right += slug(answer.json()["predictions"][0]["label"]) == path.stem
    assert right >= 9


@pytest.mark.parametrize(
    ("photograph", "labels"),
    [("cat", {"Egyptian cat", "tabby", "tiger cat"}), ("coffee", {"espresso"})],
)
def test_photographs_are_classified_by_the_models_own_names(suite, photograph, labels):
    path = SAMPLES / "photographs" / f"{photograph}.jpg"
    model = "models/efficientnet_lite0"
    # It loads last, and the suite is ready before that.
    wait_until(
        lambda: requests.get(f"{suite.gateway}/v2/{model}/ready", timeout=60).ok,
        240,
        "the model is ready",
    )
    answer = requests.post(
        f"{suite.gateway}/v1/{model}:predict",
        path.read_bytes(),
        headers={"Content-Type": "image/jpeg"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"][0]["label"] in labels


def test_every_top_class_has_its_label(suite):
    answer = post_image(f"{suite.gateway}/v1/models/cnn:predict", FILES[0], top=10)
    assert {entry["label"] for entry in answer.json()["predictions"][0]["top"]} == set(CLASS_NAMES)


def test_an_explanation_is_an_image_or_numbers(suite):
    url = f"{suite.gateway}/v1/models/cnn:saliency"
    assert post_image(url, FILES[0]).headers["Content-Type"] == "image/png"
    answer = requests.post(
        url,
        FILES[0].read_bytes(),
        headers={"Content-Type": "image/png", "Accept": "application/json"},
        timeout=30,
    )
    attribution = np.array(answer.json()["explanations"][0]["attribution"])
    assert attribution.shape == (28, 28)
    assert np.abs(attribution).max() > 0


def test_all_apis_give_the_same_answer(suite, channel):
    pixels = np.asarray(Image.open(FILES[0]), np.float32)[None, ..., None]
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "cnn"
    request.inputs["images"].CopyFrom(to_tensor_proto(pixels))
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    by_grpc = to_ndarray(stub.Predict(request, timeout=30).outputs["probabilities"])[0]

    document = {"instances": pixels.tolist()}
    for address in (suite.gateway, f"http://127.0.0.1:{suite.ports['REST_PORT']}"):
        answer = requests.post(f"{address}/v1/models/cnn:predict", json=document, timeout=30)
        by_rest = answer.json()["predictions"][0]["probabilities"]
        np.testing.assert_allclose(by_rest, by_grpc, rtol=1e-5)
    by_image = post_image(f"{suite.gateway}/v1/models/cnn:predict", FILES[0]).json()
    top = by_image["predictions"][0]
    assert top["probability"] == pytest.approx(by_grpc[top["class_index"]], rel=1e-5)


def test_status_and_metadata_with_the_official_stubs(channel):
    status = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(
        get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "cnn"}), timeout=30
    )
    (version,) = status.model_version_status
    assert version.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE

    metadata = prediction_service_pb2_grpc.PredictionServiceStub(channel).GetModelMetadata(
        get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec={"name": "cnn"}, metadata_field=["signature_def"]
        ),
        timeout=30,
    )
    signatures = get_model_metadata_pb2.SignatureDefMap()
    metadata.metadata["signature_def"].Unpack(signatures)
    promised = {"serving_default", "predict_bytes", "saliency_gradient", "class_labels"}
    assert promised <= signatures.signature_def.keys()
