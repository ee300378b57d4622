"""The tensors of Predict's messages, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from services.model_server.errors import ServingError
from services.model_server.operations.predict_messages import read_inputs, write_outputs
from services.serving_api.protos import error_codes_pb2, predict_pb2, types_pb2
from services.serving_api.signatures import Signature, TensorSpec
from services.serving_api.tensors import to_tensor_proto

QUANTIZED = Signature({}, {"y": TensorSpec(types_pb2.DT_QINT8, None)}, "")


@given(
    x=npst.arrays(np.int8, npst.array_shapes(max_dims=3, min_side=0, max_side=4)),
    typed_fields=st.booleans(),
)
def test_arrays_survive_a_round_trip_in_either_form(x: np.ndarray, typed_fields: bool) -> None:
    response = predict_pb2.PredictResponse()
    write_outputs(response.outputs, {"y": x}, QUANTIZED, typed_fields=typed_fields)
    y = response.outputs["y"]
    assert y.dtype == types_pb2.DT_QINT8
    assert bool(y.int_val) == (typed_fields and x.size > 0)
    assert bool(y.tensor_content) == (not typed_fields and x.size > 0)
    np.testing.assert_array_equal(read_inputs(response.outputs)["y"], x)


def test_a_tensor_that_cannot_be_read() -> None:
    proto = to_tensor_proto(np.ones(3, np.float32))
    proto.tensor_content = b"short"
    with pytest.raises(ServingError) as caught:
        read_inputs({"x": proto})
    assert caught.value.message == (
        "tensor parsing error: x: received a tensor_content of 5 bytes, expected 12 for float32 of "
        "shape [3]"
    )
    assert caught.value.code == error_codes_pb2.INVALID_ARGUMENT
