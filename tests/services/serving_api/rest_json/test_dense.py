"""Dense arrays are read as the ordinary parser and numpy read them, or not at all."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from services.serving_api.protos import types_pb2
from services.serving_api.rest_json.dense import (
    LEAST_BYTES,
    MAX_DIMENSIONS,
    MAX_ENVELOPE_BYTES,
    parse_dense_json,
    read_dense_array,
)
from services.serving_api.rest_json.errors import JsonError
from services.serving_api.rest_json.predict import parse_predict_body, to_arrays
from services.serving_api.signatures import TensorSpec

ARRAYS = npst.arrays(
    st.sampled_from([np.float64, np.int64, np.uint64]),
    npst.array_shapes(max_dims=4, max_side=3),
    elements={"allow_nan": False, "allow_infinity": False},
)
CHARACTERS = st.sampled_from(list('[],0123.-+eE \n"{n'))
IMAGES = {"images": TensorSpec(types_pb2.DT_FLOAT, (None, 28, 28, 1))}


def ordinary(text: bytes) -> Any:
    """Return the array of a JSON text by way of lists, None if it is none."""
    try:
        lists = orjson.loads(text)
        whole = np.asarray(lists, np.object_)
    except (orjson.JSONDecodeError, ValueError):
        return None
    if not all(isinstance(number, int) for number in whole.flat):
        return np.asarray(lists, np.float64)
    return np.asarray(lists, np.uint64 if max(whole.flat) >= 2**63 else np.int64)


@given(ARRAYS, st.sampled_from([None, 1]))
def test_a_dense_array_is_read(array: np.ndarray, indent: int | None) -> None:
    text = json.dumps(array.tolist(), indent=indent).encode()
    received, expected = read_dense_array(text), ordinary(text)
    assert received is not None
    assert received.dtype == expected.dtype
    np.testing.assert_array_equal(received, expected)


@given(ARRAYS, st.data())
def test_a_text_with_a_mistake_is_read_alike_or_not_at_all(array: np.ndarray, data: Any) -> None:
    text = list(json.dumps(array.tolist()))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 2, len(text))))
        text[start:end] = data.draw(st.lists(CHARACTERS, max_size=3))
    encoded = "".join(text).encode()
    received = read_dense_array(encoded)
    if received is not None:
        expected = ordinary(encoded)
        assert expected is not None
        assert received.dtype == expected.dtype
        np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "[]", "[[]]", "[[1], []]", "[[1, 2], [3]]", "[1[2], [3]]", "[[]1, [2]]"),
        *("[1] [2]", "[1, 2", "[1, ]", "[1 2]", "[01]", "[1.]", "[true]", "[NaN]", '["1"]'),
        *("[[1, [2]]]", "][", "[-1, 9223372036854775808]", "[18446744073709551616]", "[1e400]"),
        *('["1", 2]', '["a"]', "[aa]", "[", "]", "[" * 70),
    ],
)
def test_what_is_no_dense_array_is_left_alone(text: str) -> None:
    assert read_dense_array(text.encode()) is None


@pytest.mark.parametrize("depth", [MAX_DIMENSIONS, MAX_DIMENSIONS + 1, 5000])
def test_as_many_dimensions_as_numpy_has_are_read(depth: int) -> None:
    received = read_dense_array(b"[" * depth + b"1, 2" + b"]" * depth)
    assert (received is not None) == (depth <= MAX_DIMENSIONS)
    assert received is None or received.shape == (1,) * (depth - 1) + (2,)


def padded(text: str) -> bytes:
    return text.encode() + b" " * LEAST_BYTES


@pytest.mark.parametrize(
    "text",
    [
        '{"instances": [[1], [2]]}',
        '{"signature_name": "a", "inputs": [1.5]}',
        '{"inputs": [1.5], "signature_name": "a"}',
    ],
)
def test_the_rest_of_the_object_stays(text: str) -> None:
    received, expected = parse_dense_json(padded(text)), json.loads(text)
    assert received is not None
    assert {
        key: value.tolist() if isinstance(value, np.ndarray) else value
        for key, value in received.items()
    } == expected


@pytest.mark.parametrize(
    "text",
    [
        "[[1]]",
        "null",
        '{"x": {"instances": [1]}, "inputs": null}',
        '"[1]"',
        '{"x": "[1]", "instances": null}',
        r'{"x": "\"instances\":[1]", "instances": null}',
        '{"instances": 1}',
        '{"instances": "[1]"}',
        '{"instances": [1], "inputs": null}',
        '{"inputs": {"x": [1]}}',
        '{"instances": [{"x": [1]}]}',
        '{"x": [1], "y": [2]}',
        '{"latent": [1]}',
        '{"instances": 1[2]}',
        '{"instances": [1]',
    ],
)
def test_other_documents_are_left_alone(text: str) -> None:
    assert parse_dense_json(padded(text)) is None


def test_a_long_envelope_is_left_alone() -> None:
    for text in ('{"a": "%s", "inputs": [1]}', '{"inputs": [1], "a": "%s"}'):
        assert parse_dense_json(padded(text % ("b" * 1000))) is not None
        assert parse_dense_json(padded(text % ("b" * MAX_ENVELOPE_BYTES))) is None


def test_a_small_body_is_left_alone() -> None:
    assert parse_dense_json(b'{"instances": [1]}') is None


def test_images_of_a_predict_request_become_the_same_floats() -> None:
    images = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)
    body = json.dumps({"instances": images.tolist()}).encode()
    request = parse_predict_body(body)
    assert isinstance(request.values, np.ndarray)
    np.testing.assert_array_equal(to_arrays(request, IMAGES)["images"], images)


def test_lists_that_are_too_deep_are_refused() -> None:
    body = b'{"instances": ' + b"[" * 1000 + b"1, 2" + b"]" * 1000 + b" " * LEAST_BYTES + b"}"
    with pytest.raises(JsonError):
        to_arrays(parse_predict_body(body), IMAGES)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (TensorSpec(types_pb2.DT_STRING, None), "holds a number, which is not of expected type"),
        (TensorSpec(types_pb2.DT_INT32, None), "numbers with a decimal point"),
    ],
)
def test_a_dense_array_of_the_wrong_type_is_refused(spec: TensorSpec, message: str) -> None:
    body = json.dumps({"instances": np.full((1000, 2), 0.5).tolist()}).encode()
    with pytest.raises(JsonError, match=message):
        to_arrays(parse_predict_body(body), {"x": spec})
