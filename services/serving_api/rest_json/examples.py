"""The JSON of TensorFlow Serving's REST classify and regress calls.

Source: tensorflow_serving/util/json_tensor.cc and g3doc/api_rest.md.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from services.serving_api.protos import (
    classification_pb2,
    example_pb2,
    input_pb2,
    regression_pb2,
)
from services.serving_api.rest_json.b64 import decode_b64
from services.serving_api.rest_json.errors import JsonError, TooManyValuesError, kind_of
from services.serving_api.rest_json.parsing import DEFAULT_MAX_VALUES, parse_json
from services.serving_api.rest_json.predict import read_signature_name

_INT64_MAX = 2**63 - 1

_NUMBERS_PER_MESSAGE = 12
"""An example, or a feature, takes as much memory as so many numbers of a parsed document."""


def parse_examples_body(
    body: bytes, max_values: int = DEFAULT_MAX_VALUES
) -> tuple[str, input_pb2.Input]:
    """Reads a classify or regress request: its signature name, empty for the default, and examples.

    Numbers with a decimal point or an exponent become floats, whole numbers and booleans become
    int64, text and `{"b64": …}` become bytes.

    Args:
        body: the request's body.
        max_values: see `parse_json`.

    Raises:
        TooManyValuesError: the body has more values, or too many examples and features.
        JsonError: the body is not JSON, `examples` is not a non-empty list, or a feature cannot
            hold a value.
    """
    document = parse_json(body, max_values)
    if not isinstance(document, dict):
        raise JsonError(
            f"JSON Value: Is not object: the body is {kind_of(document)}, "
            "expected an object with 'examples'"
        )
    name = read_signature_name(document)
    examples = _read_examples(document)
    _check_messages([*examples, document.get("context")], max_values // _NUMBERS_PER_MESSAGE)
    message = input_pb2.Input()
    target = message.example_list
    if "context" in document:
        target = message.example_list_with_context
        target.context.CopyFrom(_example(document["context"]))
    target.examples.extend(map(_example, examples))
    return name, message


def format_classifications(result: classification_pb2.ClassificationResult) -> bytes:
    """Writes the answer to a classify request: a list of [label, score] per example."""
    rows = [
        [[each.label, _shortest(each.score)] for each in classifications.classes]
        for classifications in result.classifications
    ]
    return _dump(rows)


def format_regressions(result: regression_pb2.RegressionResult) -> bytes:
    """Writes the answer to a regress request: one number per example."""
    return _dump([_shortest(each.value) for each in result.regressions])


def _read_examples(document: dict[str, Any]) -> list[Any]:
    if "examples" not in document:
        raise JsonError(
            "When method is classify, key 'examples' is expected and was not found: received the "
            f"keys {sorted(document)}"
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise JsonError(
            f"Expecting 'examples' value to be an list/array: it is {kind_of(examples)}"
        )
    if not examples:
        raise JsonError("'examples' value is an empty array: expected one entry per example")
    return examples


def _check_messages(examples: list[Any], most: int) -> None:
    count = sum(1 + len(each) for each in examples if isinstance(each, dict))
    if count > most:
        raise TooManyValuesError(
            f"received {count} examples and features, expected at most {most} in one request: "
            "send fewer examples, or raise the limit of JSON values"
        )


def _example(value: Any) -> example_pb2.Example:
    if not isinstance(value, dict):
        raise JsonError(f"Example must be JSON object but got JSON {kind_of(value)}")
    example = example_pb2.Example()
    for name, content in value.items():
        feature = example.features.feature[name]
        items = content if isinstance(content, list) else [content]
        for item in items:
            _add(name, item, feature)
    return example


def _add(name: str, item: Any, feature: Any) -> None:
    kind, value = _typed(name, item)
    present = feature.WhichOneof("kind")
    if present not in (None, kind):
        raise JsonError(
            f"Unexpected element type in feature: {name} expecting type: "
            f"{present.removesuffix('_list')}"
        )
    getattr(feature, kind).value.append(value)


def _typed(name: str, item: Any) -> tuple[str, Any]:
    """Returns the kind of feature list for a JSON value, and the value to store in it."""
    match item:
        case bool() | int():
            if abs(item) > _INT64_MAX:
                raise JsonError(f"Feature: {name} has uint64 element. Only int64 is supported.")
            return "int64_list", int(item)
        case float():
            return "float_list", item
        case str():
            return "bytes_list", item.encode()
        case {"b64": str(text), **rest} if not rest:
            return "bytes_list", _decode(name, text)
        case _:
            raise JsonError(
                f"Feature: {name} has element with unexpected JSON type: {kind_of(item)}"
            )


def _decode(name: str, text: str) -> bytes:
    try:
        return decode_b64(text)
    except ValueError as error:
        raise JsonError(
            f"Unable to base64 decode: feature {name} holds a 'b64' that cannot be decoded: {error}"
        ) from None


def _shortest(value: float) -> float:
    """Returns the double that is written with the shortest text of a float32."""
    return float(str(np.float32(value)))


def _dump(results: list[Any]) -> bytes:
    # Unlike orjson, the standard library writes the tokens NaN and Infinity.
    return json.dumps({"results": results}, separators=(",", ":"), ensure_ascii=False).encode()
