"""Predict against numpy, and the effect of the flags about requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from services.model_server.errors import ServingError
from services.model_server.inference.data_plane import DataPlane, DataPlaneOptions
from services.model_server.inference.metrics import Metrics
from services.serving_api.protos import classification_pb2, error_codes_pb2, predict_pb2
from services.serving_api.tensors import to_ndarray, to_tensor_proto

MakeRequest = Callable[..., predict_pb2.PredictRequest]


def data_plane(served: Any, **options: bool) -> DataPlane:
    return DataPlane(served.manager, "GRPC", Metrics(), DataPlaneOptions(**options))


@given(
    x=npst.arrays(
        np.float32,
        npst.array_shapes(max_dims=3, min_side=0, max_side=4),
        elements=st.floats(width=32),
    ),
    typed_fields=st.booleans(),
)
def test_any_shape_and_value_in_either_form(served: Any, x: np.ndarray, typed_fields: bool) -> None:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "half_plus_two"
    request.inputs["x"].CopyFrom(to_tensor_proto(x, typed_fields=typed_fields))
    response = data_plane(served).predict(request)
    with np.errstate(all="ignore"):
        expected = np.float32(0.5) * x + np.float32(2)
    np.testing.assert_array_equal(to_ndarray(response.outputs["y"]), expected)
    np.testing.assert_array_equal(to_ndarray(response.outputs["negative"]), -x)


@pytest.mark.parametrize("typed_fields", [True, False])
def test_the_answer_has_the_form_of_the_request(
    served: Any,
    make_request: MakeRequest,
    typed_fields: bool,
) -> None:
    request = make_request(x=np.ones((2, 1), np.float32), typed_fields=typed_fields)
    y = data_plane(served).predict(request).outputs["y"]
    assert bool(y.float_val) == typed_fields
    assert bool(y.tensor_content) != typed_fields


def test_model_spec_says_what_ran(served: Any, make_request: MakeRequest) -> None:
    spec = data_plane(served).predict(make_request(x=np.ones(1, np.float32))).model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == (
        "half_plus_two",
        5,
        "serving_default",
    )


def test_an_unknown_signature_comes_before_unreadable_tensors(
    served: Any, make_request: MakeRequest
) -> None:
    request = make_request("nope", x=np.ones(3, np.float32), typed_fields=False)
    request.inputs["x"].tensor_content = b"short"
    with pytest.raises(ServingError, match='Serving signature key "nope" not found'):
        data_plane(served).predict(request)


def test_a_default_stands_in_for_a_missing_input(served: Any, make_request: MakeRequest) -> None:
    x = np.ones(2, np.float32)
    for factor, expected in ((None, [3, 3]), (np.float32(5), [5, 5])):
        given = {} if factor is None else {"factor": np.array(factor)}
        response = data_plane(served).predict(make_request("with_default", x=x, **given))
        assert list(response.outputs["y"].float_val) == expected
    with pytest.raises(ServingError, match=r"Missing but required: \{x\}"):
        data_plane(served).predict(make_request("with_default", factor=np.array(1, np.float32)))


def test_a_closed_data_plane_says_that_the_server_stops(
    served: Any, make_request: MakeRequest
) -> None:
    closed = data_plane(served)
    closed.close()
    with pytest.raises(ServingError, match="the server is stopping") as caught:
        closed.predict(make_request(x=np.ones(1, np.float32)))
    assert caught.value.code == error_codes_pb2.UNAVAILABLE


def test_names_that_clients_make_up_are_no_labels(served: Any, make_request: MakeRequest) -> None:
    measured = data_plane(served)
    request = make_request(x=np.ones(1, np.float32))
    for name in ("made_up", "made_up_too"):
        request.model_spec.name = name
        with pytest.raises(ServingError, match=f"Servable not found for request: Latest.{name}"):
            measured.predict(request)
    page = measured.metrics.page().decode()
    assert ':tensorflow:serving:request_count{model_name="",status="NOT_FOUND"} 2.0' in page
    assert "made_up" not in page


def test_tensor_content_whatever_the_request_has(served: Any, make_request: MakeRequest) -> None:
    request = make_request(x=np.ones((2, 1), np.float32), typed_fields=True)
    y = data_plane(served, tensor_content=True).predict(request).outputs["y"]
    assert np.frombuffer(y.tensor_content, np.float32).tolist() == [2.5, 2.5]
    assert not y.float_val


def test_method_names_are_checked_only_where_the_flag_says_so(served: Any) -> None:
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "half_plus_two"
    request.input.example_list.examples.add()
    with pytest.raises(ServingError, match="method_name to be tensorflow/serving/classify"):
        data_plane(served, check_method_names=True).classify(request)
    with pytest.raises(ServingError, match="No classification inputs found"):
        data_plane(served).classify(request)


def test_requests_are_counted_and_what_nobody_has_makes_no_series(
    served: Any, make_request: MakeRequest
) -> None:
    measured = data_plane(served)
    measured.predict(make_request(x=np.ones((2, 1), np.float32)))
    with pytest.raises(ServingError):
        measured.predict(make_request("made_up", x=np.ones((2, 1), np.float32)))
    page = measured.metrics.page().decode()
    name = ":tensorflow:serving:request_count"
    assert f'{name}{{model_name="half_plus_two",status="OK"}} 1.0' in page
    assert f'{name}{{model_name="half_plus_two",status="FAILED_PRECONDITION"}} 1.0' in page
    assert "made_up" not in page
    assert "_created" not in page
