"""Each dtype takes the JSON values that TensorFlow Serving gives it, whichever parser read them."""

from __future__ import annotations

import json
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving_api.dtypes import DTYPES, is_integer
from services.serving_api.protos import types_pb2
from services.serving_api.rest_json.dense import LEAST_BYTES
from services.serving_api.rest_json.errors import JsonError
from services.serving_api.rest_json.predict import parse_predict_body, to_arrays
from services.serving_api.rest_json.values import to_array
from services.serving_api.signatures import TensorSpec

NUMBERS = {
    number: dtype.numpy for number, dtype in DTYPES.items() if dtype.numpy.kind not in "OcbV"
}


def spec(name: str) -> TensorSpec:
    return TensorSpec(types_pb2.DataType.Value(f"DT_{name}"), None)


def read(values: Any, data_type: str, dense: bool) -> np.ndarray:
    """Read by the parser for arrays, or by the ordinary one."""
    padding = " " * LEAST_BYTES if dense else ""
    body = f'{{"inputs": {json.dumps(values)}{padding}}}'.encode()
    return to_arrays(parse_predict_body(body), {"x": spec(data_type)})["x"]


DENSE = pytest.mark.parametrize("dense", [False, True])


@DENSE
@pytest.mark.parametrize(
    ("values", "data_type"),
    [
        ([1700000000, 16777217], "FLOAT"),
        ([2**53 + 1, -(2**63), 2**64 - 1], "DOUBLE"),
        ([2**53 + 1], "FLOAT"),
        ([0.1, 3], "FLOAT"),
        ([1, 2**64 - 1], "UINT64"),
        ([-1, 2**64 - 1], "FLOAT"),
        ([-(2**63), 2**63 - 1], "INT64"),
        ([0, 255], "UINT8"),
        ([70000, 1e-8], "HALF"),
        ([2**70, 1.5], "DOUBLE"),
    ],
)
def test_numbers_are_rounded_to_floats_and_fit_integers(
    values: list[float], data_type: str, dense: bool
) -> None:
    array = read(values, data_type, dense)
    if is_integer(array.dtype):
        assert array.tolist() == values
        return
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(array, [array.dtype.type(value) for value in values])


@DENSE
def test_a_number_beyond_a_float_is_infinity(dense: bool) -> None:
    assert read([1e39, -1e39, 1.5], "FLOAT", dense).tolist() == [math.inf, -math.inf, 1.5]
    assert read([70000], "HALF", dense).tolist() == [math.inf]
    assert read([1e39], "BFLOAT16", dense).astype(float).tolist() == [math.inf]


@DENSE
@pytest.mark.parametrize(
    ("values", "data_type", "message"),
    [
        ([True], "FLOAT", "booleans"),
        ([True, 2.5], "FLOAT", "booleans and numbers with a decimal point"),
        ([True, 2], "INT32", "booleans and whole numbers"),
        ([[1, False]], "INT64", "booleans and whole numbers"),
        ([1, 0], "BOOL", "whole numbers from 0 to 1"),
        ([1.0], "INT32", "numbers with a decimal point"),
        ([1, 1e2], "INT64", "numbers with a decimal point"),
        ([300], "UINT8", "whole numbers from 300 to 300"),
        ([-1], "UINT64", "whole numbers from -1 to -1"),
        ([2**63], "INT64", f"whole numbers from {2**63} to {2**63}"),
        ([-1, 2**63], "INT64", "whole numbers that are too large"),
        ([2**64], "UINT64", "numbers with a decimal point"),
        ([8], "INT4", "whole numbers from 8 to 8"),
        ([0.5], "INT4", "numbers with a decimal point"),
        (["a" * 1000, 0.5], "FLOAT", "numbers with a decimal point and strings"),
        ([None], "FLOAT", "null"),
    ],
)
def test_values_of_another_kind_are_refused(
    values: list[Any], data_type: str, message: str, dense: bool
) -> None:
    with pytest.raises(JsonError, match=f"'x' holds {message}, which is not of expected type"):
        read(values, data_type, dense)


def test_a_whole_number_beyond_any_float_is_refused() -> None:
    with pytest.raises(JsonError, match="whole numbers that are too large"):
        to_array("x", [10**400], spec("FLOAT"))
    with pytest.raises(JsonError, match="numbers with a decimal point"):
        to_array("x", [10**400, 0.5], spec("FLOAT"))


@pytest.mark.parametrize("data_type", sorted(NUMBERS))
@given(data=st.data())
def test_every_number_is_converted_alike_by_both_parsers(data_type: int, data: Any) -> None:
    name = types_pb2.DataType.Name(data_type).removeprefix("DT_")
    numbers = st.integers(-(2**63), 2**64 - 1) | st.integers(-300, 300)
    if not is_integer(NUMBERS[data_type]):
        numbers |= st.floats(allow_nan=False, allow_infinity=False)
    values = data.draw(st.lists(numbers, min_size=1, max_size=5))
    results = []
    for dense in (False, True):
        try:
            results.append(read(values, name, dense).tobytes())
        except JsonError as error:
            results.append(str(error))
    assert results[0] == results[1]
    if is_integer(NUMBERS[data_type]):
        limits = ml_dtypes.iinfo(NUMBERS[data_type])
        fits = limits.min <= min(values) and max(values) <= limits.max
        assert isinstance(results[0], bytes) == fits


@given(
    st.recursive(
        st.booleans() | st.integers() | st.floats() | st.none() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=12,
    )
)
def test_shapes_are_those_of_numpy(value: Any) -> None:
    try:
        shape = np.asarray(value, np.object_).shape
        is_ragged = any(isinstance(item, list) for item in np.asarray(value, np.object_).flat)
    except ValueError:
        is_ragged = True
    try:
        received: Any = to_array("x", value, spec("FLOAT")).shape
    except JsonError as error:
        received = str(error)
    if isinstance(received, tuple):
        assert not is_ragged
        assert received == shape
    else:
        assert ("ragged" in received) == is_ragged
