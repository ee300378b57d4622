"""What the flags about requests change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from services.model_server.errors import ServingError
from services.model_server.inference.inference import Inference, InferenceOptions
from services.model_server.inference.metrics import Metrics
from services.serving_api.protos import classification_pb2, predict_pb2

MakeRequest = Callable[..., predict_pb2.PredictRequest]


def inference(served: Any, **options: bool) -> Inference:
    return Inference(served.manager, "GRPC", Metrics(), InferenceOptions(**options))


def test_tensor_content_whatever_the_request_has(served: Any, make_request: MakeRequest) -> None:
    request = make_request(x=np.ones((2, 1), np.float32), typed_fields=True)
    y = inference(served, tensor_content=True).predict(request).outputs["y"]
    assert np.frombuffer(y.tensor_content, np.float32).tolist() == [2.5, 2.5]
    assert not y.float_val


def test_method_names_are_checked_only_where_the_flag_says_so(served: Any) -> None:
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "half_plus_two"
    request.input.example_list.examples.add()
    with pytest.raises(ServingError, match="method_name to be tensorflow/serving/classify"):
        inference(served, check_method_names=True).classify(request)
    with pytest.raises(ServingError, match="No classification inputs found"):
        inference(served).classify(request)


def test_requests_are_counted_and_what_nobody_has_makes_no_series(
    served: Any, make_request: MakeRequest
) -> None:
    measured = inference(served)
    measured.predict(make_request(x=np.ones((2, 1), np.float32)))
    with pytest.raises(ServingError):
        measured.predict(make_request("made_up", x=np.ones((2, 1), np.float32)))
    page = measured.metrics.page().decode()
    name = ":tensorflow:serving:request_count"
    assert f'{name}{{model_name="half_plus_two",status="OK"}} 1.0' in page
    assert f'{name}{{model_name="half_plus_two",status="FAILED_PRECONDITION"}} 1.0' in page
    assert "made_up" not in page
    assert "_created" not in page
