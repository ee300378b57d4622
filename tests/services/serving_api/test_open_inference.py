from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tritonclient.utils import deserialize_bytes_tensor, serialize_byte_tensor

from services.serving_api.dtypes import data_type_of
from services.serving_api.open_inference import (
    OpenInferenceError,
    classification_strings,
    datatype_of,
    datatype_of_output,
    from_bytes,
    from_json,
    from_values,
    to_bytes,
    to_json,
)
from services.serving_api.signatures import TensorSpec

NUMBERS = [
    *(np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64),
    *(np.float16, np.float32, np.float64, np.bool_),
]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def spec(dtype: type) -> TensorSpec:
    return TensorSpec(data_type_of(np.dtype(dtype)), None)


def number_arrays(**elements: object) -> st.SearchStrategy[np.ndarray]:
    return st.sampled_from(NUMBERS).flatmap(
        lambda dtype: hnp.arrays(
            dtype,
            SHAPES,
            elements=hnp.from_dtype(np.dtype(dtype), **elements),
        )
    )


def as_typed_contents(array: np.ndarray) -> np.ndarray:
    """Returns what numpy reads of a message's field, which has the widest dtype of its kind."""
    widest = {"i": np.int64, "u": np.uint64, "f": np.float64}
    return array.ravel().astype(widest.get(array.dtype.kind, array.dtype))


def string_arrays(strings: st.SearchStrategy[bytes]) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.object_, SHAPES, elements=strings, fill=st.nothing())


@given(number_arrays() | string_arrays(st.binary(max_size=20)))
def test_raw_bytes_come_back_as_they_were(array):
    read = from_bytes("x", to_bytes(array), array.shape, spec(array.dtype))
    np.testing.assert_array_equal(read, array)
    assert (read.dtype, read.shape) == (array.dtype, array.shape)


@given(number_arrays() | string_arrays(st.binary(max_size=20)))
def test_typed_values_come_back_as_they_were(array):
    read = from_values("x", as_typed_contents(array), array.shape, spec(array.dtype))
    np.testing.assert_array_equal(read, array)
    assert (read.dtype, read.shape) == (array.dtype, array.shape)


@pytest.mark.parametrize(("value", "dtype"), [(256, np.uint8), (-129, np.int8), (-1, np.uint16)])
def test_integers_out_of_range_are_explained(value, dtype):
    values = np.array([value], np.int64)
    with pytest.raises(OpenInferenceError, match=f"expected {np.dtype(dtype).name}"):
        from_values("x", values, [1], spec(dtype))


@given(number_arrays(allow_nan=False, allow_infinity=False))
def test_json_comes_back_as_it_was(array):
    # An integer beyond what a float holds exactly is refused, where a float is asked for.
    text = orjson.dumps(to_json("x", array), option=orjson.OPT_SERIALIZE_NUMPY)
    read = from_json("x", orjson.loads(text), array.shape, spec(array.dtype))
    np.testing.assert_array_equal(read, array)
    assert (read.dtype, read.shape) == (array.dtype, array.shape)


@given(string_arrays(st.text(max_size=10).map(str.encode)))
def test_text_comes_back_as_it_was(array):
    read = from_json("x", to_json("x", array), array.shape, spec(np.object_))
    np.testing.assert_array_equal(read, array)


def test_nested_lists_are_as_good_as_flat_ones():
    nested = from_json("x", [[1, 2], [3, 4]], [2, 2], spec(np.int32))
    np.testing.assert_array_equal(nested, from_json("x", [1, 2, 3, 4], [2, 2], spec(np.int32)))


@given(string_arrays(st.binary(max_size=20)))
def test_strings_are_laid_out_as_triton_does(array):
    if array.size:
        theirs = serialize_byte_tensor(array).item()
        assert to_bytes(array) == theirs
        assert deserialize_bytes_tensor(to_bytes(array)).tolist() == array.ravel().tolist()


def test_bfloat16_travels_raw_and_leaves_as_a_plain_number():
    array = np.array([1.5, -2], ml_dtypes.bfloat16)
    read = from_bytes("x", to_bytes(array), [2], spec(ml_dtypes.bfloat16))
    np.testing.assert_array_equal(read, array)
    assert to_json("x", array).tolist() == [1.5, -2]
    assert datatype_of_output("x", array) == "BF16"


@pytest.mark.parametrize(
    ("dtype", "name"), [(np.float32, "FP32"), (np.object_, "BYTES"), (np.complex64, "COMPLEX64")]
)
def test_datatypes_have_the_protocols_names(dtype, name):
    assert datatype_of(data_type_of(np.dtype(dtype))) == name


def test_an_output_that_the_protocol_does_not_know_is_explained():
    with pytest.raises(OpenInferenceError, match="complex64"):
        datatype_of_output("y", np.zeros(1, np.complex64))


@pytest.mark.parametrize("raw", [b"", bytes(7), bytes(9)])
def test_other_than_as_many_bytes_are_explained(raw):
    with pytest.raises(OpenInferenceError, match=r"'x' has \d bytes, expected 8 .*\[2\]"):
        from_bytes("x", raw, [2], spec(np.float32))


@given(st.binary(max_size=30), st.lists(st.integers(0, 3), max_size=3))
def test_any_bytes_are_strings_or_explained(raw, shape):
    try:
        array = from_bytes("x", raw, shape, spec(np.object_))
    except OpenInferenceError:
        return
    assert array.size == math.prod(shape)
    assert to_bytes(array) == raw


@pytest.mark.parametrize(
    ("data", "shape", "words"),
    [
        (None, [1], "no values"),
        ([1, 2, 3], [2], "3 values, expected 2"),
        ([], [2**31 - 1] * 32, "0 values"),
        ([], [0, *[2**31 - 1] * 3], "no array has the shape"),
    ],
)
def test_other_than_as_many_values_are_explained(data, shape, words):
    with pytest.raises(OpenInferenceError, match=words):
        from_json("x", data, shape, spec(np.float32))


def test_bytes_that_are_no_text_need_the_raw_form():
    with pytest.raises(OpenInferenceError, match="binary_data"):
        to_json("y", np.array([b"\xff"], np.object_))


def test_the_highest_scores_come_first():
    scores = np.array([0.25, 0.75, 0.5], np.float32)
    assert classification_strings("y", scores, 2).tolist() == [b"0.750000:1", b"0.500000:2"]


def test_classes_are_ranked_in_each_row_and_named_where_labels_are_theirs():
    scores = np.array([[1, 3, 3], [-7, 0, -128]], np.int8)
    named = classification_strings("y", scores, 2, ["a", "b", "c"])
    assert named.tolist() == [[b"3:1:b", b"3:2:c"], [b"0:1:b", b"-7:0:a"]]
    assert classification_strings("y", scores, 9, ["a"]).shape == (2, 3)


@given(number_arrays(), st.integers(1, 9))
def test_ranks_are_those_of_a_sort_by_python(array, count):
    rows = np.atleast_2d(array.ravel() if array.ndim < 2 else array)
    found = classification_strings("y", np.atleast_1d(array), count)
    for row, classes in zip(rows, np.atleast_2d(found), strict=True):
        scores = row.ravel().tolist()
        ranked = sorted(range(len(scores)), key=lambda at: _rank(scores[at]))
        assert [int(each.split(b":")[1]) for each in classes] == ranked[:count]


def _rank(score: float) -> tuple[bool, float]:
    return (True, 0) if math.isnan(score) else (False, -score)


@pytest.mark.parametrize(
    ("array", "count", "words"),
    [
        (np.zeros(3), 0, "expected at least 1"),
        (np.array([b"a"], np.object_), 1, "expected numbers"),
        (np.array(1.5), 1, "expected numbers"),
        (np.zeros(3, np.complex64), 1, "complex64"),
    ],
)
def test_scores_that_cannot_be_ranked_are_explained(array, count, words):
    with pytest.raises(OpenInferenceError, match=words):
        classification_strings("y", array, count)
