"""The JSON of classify and regress, by TensorFlow Serving's rules of types."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving_api.protos import classification_pb2, example_pb2, regression_pb2
from services.serving_api.rest_json.errors import JsonError, TooManyValuesError
from services.serving_api.rest_json.examples import (
    format_classifications,
    format_regressions,
    parse_examples_body,
)


def features(document: object) -> dict[str, example_pb2.Feature]:
    _, message = parse_examples_body(json.dumps(document).encode())
    [example] = message.example_list.examples
    return dict(example.features.feature)


def feature(value: object) -> tuple[str, list[object]]:
    [parsed] = features({"examples": [{"f": value}]}).values()
    kind = parsed.WhichOneof("kind")
    return kind, list(getattr(parsed, kind).value)


@pytest.mark.parametrize(
    ("value", "kind", "values"),
    [
        (1, "int64_list", [1]),
        ([1, -2], "int64_list", [1, -2]),
        (True, "int64_list", [1]),
        ([True, 7], "int64_list", [1, 7]),
        (1.0, "float_list", [1.0]),
        ([0.5, 2.0], "float_list", [0.5, 2.0]),
        ("é", "bytes_list", ["é".encode()]),
        ({"b64": "AP8="}, "bytes_list", [b"\x00\xff"]),
        (["a", {"b64": "Yg=="}], "bytes_list", [b"a", b"b"]),
        (2**63 - 1, "int64_list", [2**63 - 1]),
    ],
)
def test_types(value: object, kind: str, values: list[object]) -> None:
    assert feature(value) == (kind, values)


def test_not_a_number_is_a_float() -> None:
    _, message = parse_examples_body(b'{"examples": [{"f": [NaN, -Infinity]}]}')
    values = message.example_list.examples[0].features.feature["f"].float_list.value
    np.testing.assert_array_equal(values, [np.nan, -np.inf])


def test_numbers_are_rounded_to_float32() -> None:
    assert feature([1e39, -1e39, 16777217.0]) == ("float_list", [np.inf, -np.inf, 16777216.0])


def test_a_context_and_a_signature() -> None:
    name, message = parse_examples_body(
        b'{"signature_name": "s", "context": {"c": 1}, "examples": [{"f": 2}, {"f": 3}]}'
    )
    assert name == "s"
    assert message.WhichOneof("kind") == "example_list_with_context"
    given = message.example_list_with_context
    assert list(given.context.features.feature["c"].int64_list.value) == [1]
    assert len(given.examples) == 2


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "Is not object"),
        ({}, "key 'examples' is expected and was not found"),
        ({"examples": 1}, "Expecting 'examples' value to be an list/array"),
        ({"examples": []}, "'examples' value is an empty array"),
        ({"examples": [1]}, "Example must be JSON object but got JSON a number"),
        ({"examples": [{"f": [1, 2.5]}]}, "feature: f expecting type: int64"),
        ({"examples": [{"f": ["a", 1]}]}, "feature: f expecting type: bytes"),
        ({"examples": [{"f": None}]}, "Feature: f has element with unexpected JSON type: null"),
        ({"examples": [{"f": [[1]]}]}, "unexpected JSON type: a list"),
        ({"examples": [{"f": {"a": 1}}]}, "unexpected JSON type: an object"),
        ({"examples": [{"f": 2**63}]}, "has uint64 element. Only int64 is supported."),
        ({"examples": [{"f": {"b64": "?"}}]}, "Unable to base64 decode"),
        ({"examples": [{}], "signature_name": 1}, "'signature_name' key must be a string value"),
        ({"examples": [{}], "context": 1}, "Example must be JSON object"),
    ],
)
def test_what_is_no_example(document: object, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        parse_examples_body(json.dumps(document).encode())
    assert message in str(caught.value)


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.lists(st.integers(-(2**63) + 1, 2**63 - 1))
        | st.lists(st.floats(width=32))
        | st.lists(st.binary().map(lambda value: {"b64": base64.b64encode(value).decode()})),
    )
)
def test_every_feature_survives(example: dict[str, list[object]]) -> None:
    parsed = features({"examples": [example]})
    assert parsed.keys() == example.keys()
    for name, values in example.items():
        kind = parsed[name].WhichOneof("kind")
        received = list(getattr(parsed[name], kind).value) if kind else []
        expected = [
            base64.b64decode(value["b64"]) if isinstance(value, dict) else value for value in values
        ]
        assert np.array_equal(received, expected) or np.allclose(received, expected, equal_nan=True)


def test_answers_keep_short_floats_and_tokens() -> None:
    result = classification_pb2.ClassificationResult()
    classes = result.classifications.add().classes
    classes.add(label="é", score=0.1)
    classes.add(label="b", score=float("nan"))
    assert format_classifications(result).decode() == '{"results":[[["é",0.1],["b",NaN]]]}'
    values = regression_pb2.RegressionResult()
    for value in (3.0, 0.1, float("-inf")):
        values.regressions.add(value=value)
    assert format_regressions(values) == b'{"results":[3.0,0.1,-Infinity]}'


@pytest.mark.parametrize(
    "document",
    [
        {"examples": [{str(number): 1 for number in range(11)}]},
        {"examples": [{"x": 1}] * 6},
        {"examples": [{}] * 12},
        {"examples": [{"x": 1}], "context": {str(number): 1 for number in range(9)}},
    ],
)
def test_examples_and_features_take_more_memory_than_numbers(document):
    body = json.dumps(document).encode()
    parse_examples_body(body, 12 * 12)
    with pytest.raises(TooManyValuesError, match="12 examples and features, expected at most 11"):
        parse_examples_body(body, 12 * 12 - 1)
