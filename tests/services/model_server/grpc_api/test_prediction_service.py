"""PredictionService over a real channel, driven by the official stubs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from services.serving_api.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)
from services.serving_api.signatures import signatures_of
from services.serving_api.tensors import to_ndarray

TIMEOUT_SECONDS = 20

MakeRequest = Callable[..., predict_pb2.PredictRequest]


@pytest.fixture(scope="module")
def stub(served: Any) -> prediction_service_pb2_grpc.PredictionServiceStub:
    return prediction_service_pb2_grpc.PredictionServiceStub(served.channel)


def failure(call: Callable[..., object], request: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=TIMEOUT_SECONDS)
    return caught.value.code(), caught.value.details()


def test_predict(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, make_request: MakeRequest
) -> None:
    request = make_request(x=np.array([[1], [2]], np.float32))
    response = stub.Predict(request, timeout=TIMEOUT_SECONDS)
    assert list(response.outputs["y"].float_val) == [2.5, 3]
    assert response.model_spec.version.value == 5
    assert response.model_spec.signature_name == "serving_default"


def test_output_filter(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, make_request: MakeRequest
) -> None:
    request = make_request(x=np.ones((1, 1), np.float32))
    request.output_filter.append("negative")
    assert list(stub.Predict(request, timeout=TIMEOUT_SECONDS).outputs) == ["negative"]


def test_by_label(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, make_request: MakeRequest
) -> None:
    request = make_request(x=np.ones((1, 1), np.float32))
    request.model_spec.version_label = "stable"
    response = stub.Predict(request, timeout=TIMEOUT_SECONDS)
    assert response.model_spec.version.value == 5


def test_messages_beyond_four_megabytes(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, make_request: MakeRequest
) -> None:
    x = np.arange(2_000_000, dtype=np.float32)
    response = stub.Predict(make_request(x=x, typed_fields=False), timeout=TIMEOUT_SECONDS)
    np.testing.assert_array_equal(to_ndarray(response.outputs["negative"]), -x)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            lambda request: request.ClearField("model_spec"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "Missing ModelSpec",
        ),
        (
            lambda request: setattr(request.model_spec, "name", "nobody"),
            grpc.StatusCode.NOT_FOUND,
            "Servable not found for request: Latest(nobody)",
        ),
        (
            lambda request: setattr(request.model_spec.version, "value", 7),
            grpc.StatusCode.NOT_FOUND,
            "Servable not found for request: Specific(half_plus_two, 7)",
        ),
        (
            lambda request: setattr(request.model_spec, "version_label", "canary"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "Unrecognized servable version label: canary",
        ),
        (
            lambda request: setattr(request.model_spec, "signature_name", "nope"),
            grpc.StatusCode.FAILED_PRECONDITION,
            'Serving signature key "nope" not found.',
        ),
        (
            lambda request: request.inputs.clear(),
            grpc.StatusCode.INVALID_ARGUMENT,
            "Missing but required: {x}.",
        ),
        (
            lambda request: setattr(request.model_spec, "signature_name", "matmul"),
            grpc.StatusCode.INVALID_ARGUMENT,
            'input "x" has the shape [1, 1], the signature says float32[N, 2]',
        ),
    ],
)
def test_a_wrong_request_is_told_so(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
    make_request: MakeRequest,
    change: Callable[[predict_pb2.PredictRequest], object],
    code: grpc.StatusCode,
    message: str,
) -> None:
    request = make_request(x=np.ones((1, 1), np.float32))
    change(request)
    received_code, received_message = failure(stub.Predict, request)
    assert received_code == code
    assert message in received_message


def test_a_long_message_is_cut(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, make_request: MakeRequest
) -> None:
    _, message = failure(stub.Predict, make_request("s" * 2000))
    assert len(message) == 1024 + len("...TRUNCATED")
    assert message.endswith("...TRUNCATED")


def test_the_deadline_is_honoured(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, make_request: MakeRequest
) -> None:
    request = make_request("count", steps=np.array([100_000], np.int64))
    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(request, timeout=0.2)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_metadata(stub: prediction_service_pb2_grpc.PredictionServiceStub) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "half_plus_two"
    response = stub.GetModelMetadata(request, timeout=TIMEOUT_SECONDS)
    assert response.model_spec.version.value == 5
    signature = signatures_of(response)["serving_default"]
    assert str(signature.inputs["x"]) == "float32[N, 1]"
    assert signature.outputs.keys() == {"y", "negative"}
    assert signature.method_name == "tensorflow/serving/predict"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "must specify at least one metadata_field"),
        (["weights"], "Metadata field weights is not supported"),
    ],
)
def test_metadata_of_another_kind(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, fields: list[str], message: str
) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = "half_plus_two"
    code, received = failure(stub.GetModelMetadata, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert message in received


def test_every_call_needs_a_model(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
) -> None:
    for call, request in (
        (stub.Classify, classification_pb2.ClassificationRequest()),
        (stub.Regress, regression_pb2.RegressionRequest()),
    ):
        assert failure(call, request) == (grpc.StatusCode.INVALID_ARGUMENT, "Missing ModelSpec")
    code, message = failure(stub.MultiInference, inference_pb2.MultiInferenceRequest())
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "it has no tasks" in message


def test_outputs_match_the_graph_through_the_wire(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, make_request: MakeRequest
) -> None:
    x = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    response = stub.Predict(make_request("matmul", x=x, typed_fields=False), timeout=20)
    expected = x @ np.ones((2, 3), np.float32)
    np.testing.assert_allclose(to_ndarray(response.outputs["y"]), expected, rtol=1e-6)
