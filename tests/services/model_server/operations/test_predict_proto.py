"""PredictRequest in, PredictResponse out, against numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from services.model_server.errors import ServingError
from services.model_server.loading.loader import load
from services.model_server.operations.predict_proto import answer_predict
from services.model_server.servables.servable import Servable
from services.serving_api.protos import error_codes_pb2, predict_pb2
from services.serving_api.tensors import to_ndarray, to_tensor_proto


@pytest.fixture(scope="module")
def servable(exported: dict[float, Path]) -> Iterator[Servable]:
    servable = load(exported[0.5])
    yield servable
    servable.close()


@given(
    x=npst.arrays(
        np.float32,
        npst.array_shapes(max_dims=3, min_side=0, max_side=4),
        elements=st.floats(width=32),
    ),
    typed_fields=st.booleans(),
)
def test_any_shape_and_value_in_either_form(
    servable: Servable, x: np.ndarray, typed_fields: bool
) -> None:
    request = predict_pb2.PredictRequest()
    request.inputs["x"].CopyFrom(to_tensor_proto(x, typed_fields=typed_fields))
    response = answer_predict(servable, 7, request)
    with np.errstate(all="ignore"):
        expected = np.float32(0.5) * x + np.float32(2)
    np.testing.assert_array_equal(to_ndarray(response.outputs["y"]), expected)
    np.testing.assert_array_equal(to_ndarray(response.outputs["negative"]), -x)


@pytest.mark.parametrize("typed_fields", [True, False])
def test_the_answer_has_the_form_of_the_request(
    servable: Servable,
    make_request: Callable[..., predict_pb2.PredictRequest],
    typed_fields: bool,
) -> None:
    request = make_request(x=np.ones((2, 1), np.float32), typed_fields=typed_fields)
    y = answer_predict(servable, 7, request).outputs["y"]
    assert bool(y.float_val) == typed_fields
    assert bool(y.tensor_content) != typed_fields


def test_model_spec_says_what_ran(
    servable: Servable, make_request: Callable[..., predict_pb2.PredictRequest]
) -> None:
    spec = answer_predict(servable, 7, make_request(x=np.ones(1, np.float32))).model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == (
        "half_plus_two",
        7,
        "serving_default",
    )


def test_a_tensor_that_cannot_be_read(
    servable: Servable, make_request: Callable[..., predict_pb2.PredictRequest]
) -> None:
    request = make_request(x=np.ones(3, np.float32), typed_fields=False)
    request.inputs["x"].tensor_content = b"short"
    with pytest.raises(ServingError) as caught:
        answer_predict(servable, 7, request)
    assert caught.value.message == (
        "tensor parsing error: x: received a tensor_content of 5 bytes, expected 12 for float32 of "
        "shape [3]"
    )
    assert caught.value.code == error_codes_pb2.INVALID_ARGUMENT


def test_an_unknown_signature_comes_before_unreadable_tensors(
    servable: Servable, make_request: Callable[..., predict_pb2.PredictRequest]
) -> None:
    request = make_request("nope", x=np.ones(3, np.float32), typed_fields=False)
    request.inputs["x"].tensor_content = b"short"
    with pytest.raises(ServingError, match='Serving signature key "nope" not found'):
        answer_predict(servable, 7, request)
