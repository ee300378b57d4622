"""TensorFlow Serving's predict JSON, by the examples of its documentation and by property."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from services.serving_api.protos import types_pb2
from services.serving_api.rest_json.errors import JsonError
from services.serving_api.rest_json.predict import (
    format_predictions,
    parse_predict_body,
    to_arrays,
)
from services.serving_api.signatures import TensorSpec

FLOATS = {"x": TensorSpec(types_pb2.DT_FLOAT, (None, 2))}
STRINGS = {"s": TensorSpec(types_pb2.DT_STRING, (None,))}
TWO = {"x": TensorSpec(types_pb2.DT_FLOAT, (None,)), "n": TensorSpec(types_pb2.DT_INT32, (None,))}


def read(document, inputs):
    return to_arrays(parse_predict_body(json.dumps(document).encode()), inputs)


@pytest.mark.parametrize(
    "document",
    [
        {"instances": [[1, 2], [3.5, 4]]},
        {"instances": [{"x": [1, 2]}, {"x": [3.5, 4]}]},
        {"inputs": [[1, 2], [3.5, 4]]},
        {"inputs": {"x": [[1, 2], [3.5, 4]]}},
    ],
)
def test_every_form_gives_the_same_array(document):
    array = read(document, FLOATS)["x"]
    assert array.dtype == np.float32
    assert array.tolist() == [[1, 2], [3.5, 4]]


@pytest.mark.parametrize(
    "document",
    [
        {"instances": [{"x": 1.5, "n": 1}, {"x": 2, "n": 2}]},
        {"inputs": {"x": [1.5, 2], "n": [1, 2]}},
    ],
)
def test_several_inputs(document):
    arrays = read(document, TWO)
    assert arrays["x"].tolist() == [1.5, 2]
    assert arrays["n"].tolist() == [1, 2]
    assert arrays["n"].dtype == np.int32


@pytest.mark.parametrize(
    "document",
    [
        {"instances": ["text", {"b64": "/w=="}]},
        {"instances": [{"s": "text"}, {"s": {"b64": "/w=="}}]},
        {"inputs": ["text", {"b64": "/w=="}]},
        {"inputs": {"s": ["text", {"b64": "/w=="}]}},
    ],
)
def test_strings_and_base64(document):
    assert read(document, STRINGS)["s"].tolist() == [b"text", b"\xff"]


def test_nan_and_infinity_are_tokens():
    body = parse_predict_body(b'{"instances": [[NaN, -Infinity]]}')
    array = to_arrays(body, FLOATS)["x"]
    assert math.isnan(array[0, 0])
    assert array[0, 1] == -math.inf


def test_signature_name():
    assert parse_predict_body(b'{"signature_name": "s", "inputs": 1}').signature_name == "s"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\xff", "not JSON"),
        (b'{"instances": [1', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 5000, "not JSON"),
        (b"[1]", "Is not object: the body is a list, expected an object"),
        (b"", "JSON Parse error: The document is empty"),
        (b"{}", "Missing 'inputs' or 'instances' key: .* exactly one of 'instances'"),
        (
            b'{"instances": [1], "inputs": [1]}',
            "expecting only one of 'inputs' or 'instances' keys to exist",
        ),
        (b'{"instances": []}', "No values in 'instances' array: it is empty"),
        (b'{"instances": 1}', "Excepting 'instances' to be an list/array: it is a number"),
        (
            b'{"instances": [1], "signature_name": 7}',
            "'signature_name' key must be a string value: it is a number",
        ),
    ],
)
def test_bad_envelopes(body, message):
    with pytest.raises(JsonError, match=message):
        parse_predict_body(body)


@pytest.mark.parametrize(
    ("document", "inputs", "message"),
    [
        ({"instances": [[1, 2], [3]]}, FLOATS, "ragged"),
        (
            {"instances": [["a", "b"]]},
            FLOATS,
            "holds strings, which is not of expected type: float32",
        ),
        (
            {"instances": [[True, False]]},
            FLOATS,
            "holds booleans, which is not of expected type: float32",
        ),
        (
            {"instances": [[None, 1]]},
            FLOATS,
            "holds null and whole numbers, which is not of expected type: float32",
        ),
        (
            {"instances": [[{"a": 1}]]},
            FLOATS,
            "holds objects, which is not of expected type: float32",
        ),
        (
            {"inputs": {"b64": "aa=="}},
            FLOATS,
            "holds objects, which is not of expected type: float32",
        ),
        (
            {"instances": [{"y": 1}]},
            FLOATS,
            "element: 0 of .* has the keys .*'y'.* keys must be equal to: x",
        ),
        (
            {"instances": [{"x": [1, 2]}, [1, 2]]},
            FLOATS,
            "Expecting object but got a list at item 1 of input list",
        ),
        ({"inputs": {"y": 1}}, FLOATS, "Missing named input: x in 'inputs' object"),
        ({"instances": [1]}, TWO, "instances is a plain list, but expecting list of objects"),
        ({"inputs": {"x": [1], "n": [1.0]}}, TWO, "'n' holds numbers with a decimal point"),
        ({"inputs": {"x": [1], "n": [2**31]}}, TWO, "'n' holds whole numbers from 2147483648"),
        ({"inputs": {"x": [1], "n": [2**70]}}, TWO, "'n' holds"),
        ({"instances": [1]}, STRINGS, "holds a number, which is not of expected type: string"),
        ({"instances": [{"b64": "not base64!"}]}, STRINGS, "starts with 'not base64!'"),
        ({"instances": ["a", ["b"]]}, STRINGS, "ragged"),
    ],
)
def test_bad_values(document, inputs, message):
    with pytest.raises(JsonError, match=message):
        read(document, inputs)


def test_text_is_unicode_and_lists_have_a_depth():
    pair = b'{"instances": ["\\ud83d\\ude00", NaN]}'
    assert parse_predict_body(pair).values[0] == "\N{GRINNING FACE}"
    with pytest.raises(JsonError, match="half of a surrogate pair"):
        parse_predict_body(b'{"instances": ["\\ud800"]}')
    deep = b'{"instances": ' + b"[" * 900 + b'"x"' + b"]" * 900 + b"}"
    with pytest.raises(JsonError, match="nested too deeply"):
        to_arrays(parse_predict_body(deep), STRINGS)


@pytest.mark.parametrize("name", ["DT_HALF", "DT_BFLOAT16"])
def test_half_precision_inputs_are_read(name):
    spec = TensorSpec(types_pb2.DataType.Value(name), None)
    array = read({"instances": [0.5, 3]}, {"x": spec})["x"]
    assert array.dtype.itemsize == 2
    assert array.astype(np.float32).tolist() == [0.5, 3]


def test_row_answers():
    outputs = {"p": np.array([[0.1, 1], [1e-7, 3e20]], np.float32)}
    assert format_predictions(outputs, "instances") == b'{"predictions":[[0.1,1.0],[1e-7,3e+20]]}'
    outputs["label"] = np.array([b"a", b"b"], np.object_)
    assert json.loads(format_predictions(outputs, "instances")) == {
        "predictions": [{"p": [0.1, 1], "label": "a"}, {"p": [1e-7, 3e20], "label": "b"}]
    }


def test_columnar_answers():
    outputs = {"p": np.array(0.1, np.float32)}
    assert format_predictions(outputs, "inputs") == b'{"outputs":0.1}'
    outputs["n"] = np.array([1, 2])
    assert format_predictions(outputs, "inputs") == b'{"outputs":{"p":0.1,"n":[1,2]}}'


def test_bytes_are_base64_where_the_name_says_so():
    outputs = {"image_bytes": np.array([b"\xff"], np.object_)}
    assert format_predictions(outputs, "instances") == b'{"predictions":[{"b64":"/w=="}]}'


def test_answers_write_nan_and_infinity_as_tokens():
    outputs = {"p": np.array([np.nan, -np.inf, 0.1], np.float32), "n": np.array([1, 2, 3])}
    text = format_predictions(outputs, "inputs")
    assert text == b'{"outputs":{"p":[NaN,-Infinity,0.1],"n":[1,2,3]}}'
    rows = format_predictions(outputs, "instances")
    assert rows.startswith(b'{"predictions":[{"p":NaN,"n":1},')


@pytest.mark.parametrize(
    "outputs",
    [
        {"a": np.zeros(2), "b": np.zeros(3)},
        {"a": np.array(1.0)},
    ],
)
def test_rows_need_equal_first_dimensions(outputs):
    with pytest.raises(JsonError, match="send 'inputs' instead"):
        format_predictions(outputs, "instances")


def test_complex_outputs_are_refused():
    with pytest.raises(JsonError, match="use gRPC"):
        format_predictions({"c": np.zeros(1, np.complex64)}, "inputs")


@given(npst.arrays(np.float32, npst.array_shapes(max_dims=3), elements=st.floats(width=32)))
def test_every_float_survives_the_round_trip(array):
    answer = json.loads(format_predictions({"p": array}, "instances"))
    back = read({"instances": answer["predictions"]}, {"p": TensorSpec(types_pb2.DT_FLOAT, None)})
    np.testing.assert_array_equal(back["p"], array)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "n", "b64"]), inner)
    ),
    max_leaves=12,
)


@given(
    document=st.dictionaries(
        st.sampled_from(["instances", "inputs", "signature_name"]), json_values
    ),
    inputs=st.sampled_from([FLOATS, STRINGS, TWO]),
)
def test_any_json_gives_arrays_or_a_json_error(document, inputs):
    try:
        arrays = read(document, inputs)
    except JsonError:
        return
    assert arrays.keys() == inputs.keys()
