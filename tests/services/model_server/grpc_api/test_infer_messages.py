from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from services.model_server.grpc_api.infer_messages import (
    read_inputs,
    read_parameter,
    write_response,
)
from services.model_server.grpc_api.open_inference_proto import messages
from services.serving_api.dtypes import data_type_of
from services.serving_api.open_inference import OpenInferenceError, datatype_of_output, to_bytes
from services.serving_api.signatures import Signature, TensorSpec

TYPED = [
    *(np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64),
    *(np.float32, np.float64, np.bool_),
]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = st.sampled_from(TYPED).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES)) | hnp.arrays(
    np.object_, SHAPES, elements=st.binary(max_size=20), fill=st.nothing()
)


def signature(array: np.ndarray) -> Signature:
    return Signature({"x": TensorSpec(data_type_of(array.dtype), None)}, {}, "")


def request_of(response: Any) -> Any:
    """Returns the request whose inputs are the outputs of a response."""
    request = messages.ModelInferRequest(raw_input_contents=response.raw_output_contents)
    for output in response.outputs:
        request.inputs.add().MergeFromString(output.SerializeToString())
    return request


@given(ARRAYS, st.booleans())
def test_arrays_come_back_as_they_were(array: np.ndarray, is_raw: bool) -> None:
    asked = messages.ModelInferRequest(raw_input_contents=[b""] if is_raw else [])
    response = write_response(asked, 3, {"x": array})
    assert len(response.raw_output_contents) == int(is_raw)
    read = read_inputs(request_of(response), signature(array))["x"]
    np.testing.assert_array_equal(read, array)
    assert (read.dtype, read.shape) == (array.dtype, array.shape)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_is_raw_only(dtype: type) -> None:
    array = np.array([1.5, -2], dtype)
    outputs = {"y": np.array([7], np.int32), "x": array}
    response = write_response(messages.ModelInferRequest(), 1, outputs)
    assert response.raw_output_contents == [to_bytes(outputs["y"]), to_bytes(array)]
    request = messages.ModelInferRequest()
    request.inputs.add(name="x", datatype=datatype_of_output("x", array), shape=[2])
    with pytest.raises(OpenInferenceError, match="raw_input_contents"):
        read_inputs(request, signature(array))
    request.raw_input_contents.append(to_bytes(array))
    np.testing.assert_array_equal(read_inputs(request, signature(array))["x"], array)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": [2, 2]}, "1 typed values, expected 4"),
        ({"shape": [-1]}, "expected -1"),
        ({"shape": [-1, -1]}, "no array has the shape"),
        ({"shape": [1] * 65}, "65 dimensions, expected at most 64"),
        ({"contents": {"uint_contents": [300]}}, "out of range, expected uint8"),
        ({"contents": {}}, "0 typed values"),
        ({"datatype": "INT8"}, "'INT8', expected 'UINT8'"),
    ],
)
def test_a_bad_tensor_is_explained(changes: dict[str, Any], words: str) -> None:
    request = messages.ModelInferRequest()
    head = {"name": "x", "datatype": "UINT8", "shape": [1], "contents": {"uint_contents": [3]}}
    request.inputs.add(**{**head, **changes})
    with pytest.raises(OpenInferenceError, match=words):
        read_inputs(request, signature(np.zeros(1, np.uint8)))


def test_parameters_are_of_their_type() -> None:
    request = messages.ModelInferRequest()
    request.parameters["count"].int64_param = 3
    request.parameters["empty"].SetInParent()
    assert read_parameter(request, "count", int, 1) == 3
    assert read_parameter(request, "other", int, 1) == 1
    with pytest.raises(OpenInferenceError, match="type int, expected str"):
        read_parameter(request, "count", str, "")
    with pytest.raises(OpenInferenceError, match="type NoneType, expected str"):
        read_parameter(request, "empty", str, "")
