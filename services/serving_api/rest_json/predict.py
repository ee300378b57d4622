"""The JSON of TensorFlow Serving's REST predict call: rows (`instances`) or columns (`inputs`).

Source: tensorflow_serving/util/json_tensor.cc and g3doc/api_rest.md.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from services.serving_api.arrays import Arrays
from services.serving_api.rest_json.errors import JsonError, kind_of
from services.serving_api.rest_json.parsing import DEFAULT_MAX_VALUES, parse_predict_json
from services.serving_api.rest_json.values import to_array
from services.serving_api.rest_json.writing import jsonable, jsonable_rows, write_json
from services.serving_api.signatures import TensorSpec

Form = Literal["instances", "inputs"]
"""Form of a request and its answer: rows or columns."""


@dataclass(frozen=True)
class PredictBody:
    """A parsed request whose tensors are still JSON values.

    Attributes:
        signature_name: name of the signature, empty for the default one.
        form: `instances` (row) or `inputs` (columnar).
        values: the value under that key; lists of numbers may be one array.
    """

    signature_name: str
    form: Form
    values: Any


def parse_predict_body(body: bytes, max_values: int = DEFAULT_MAX_VALUES) -> PredictBody:
    """Reads a predict request; its tensors remain JSON values.

    Args:
        body: the request's body.
        max_values: see `parse_json`.

    Raises:
        JsonError: the body is not JSON, does not have exactly one of `instances` and `inputs`, or
            `instances` is empty.
    """
    return read_predict_document(parse_predict_json(body, max_values))


def read_predict_document(document: Any) -> PredictBody:
    """Reads a predict request from a parsed document; its tensors remain JSON values.

    Raises:
        JsonError: the document does not have exactly one of `instances` and `inputs`, or
            `instances` is empty.
    """
    if not isinstance(document, dict):
        raise JsonError(
            f"JSON Value: Is not object: the body is {kind_of(document)}, "
            "expected an object with 'instances' or 'inputs'"
        )
    name = read_signature_name(document)
    if ("instances" in document) == ("inputs" in document):
        problem = (
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
            if "inputs" in document
            else "Missing 'inputs' or 'instances' key"
        )
        raise JsonError(
            f"{problem}: received the keys {_keys(document)}, expected exactly one of "
            "'instances' (row format) and 'inputs' (columnar format)"
        )
    if "inputs" in document:
        return PredictBody(name, "inputs", document["inputs"])
    instances = document["instances"]
    if not isinstance(instances, list | np.ndarray) or not len(instances):
        problem = (
            "No values in 'instances' array"
            if isinstance(instances, list)
            else "Excepting 'instances' to be an list/array"
        )
        raise JsonError(
            f"{problem}: it is {kind_of(instances)}, expected a non-empty list, one entry per "
            "example"
        )
    return PredictBody(name, "instances", instances)


def read_signature_name(document: Mapping[str, Any]) -> str:
    """Returns the signature name in a request, empty for the default one.

    Raises:
        JsonError: the name is not a string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise JsonError(f"'signature_name' key must be a string value: it is {kind_of(name)}")
    return name


def to_arrays(body: PredictBody, inputs: Mapping[str, TensorSpec]) -> dict[str, npt.NDArray[Any]]:
    """Converts the JSON values of a request into the inputs of a signature.

    Raises:
        JsonError: an input is missing or unknown, lists are ragged, or a value does not fit the
            dtype.
    """
    columns = _columns(body, inputs)
    return {name: to_array(name, value, inputs[name]) for name, value in columns.items()}


def _columns(body: PredictBody, inputs: Mapping[str, TensorSpec]) -> dict[str, Any]:
    first = body.values[0] if body.form == "instances" else body.values
    if not _is_object(first):
        if len(inputs) != 1:
            raise JsonError(
                f"{body.form} is a plain list, but expecting list of objects as multiple input "
                f"tensors required as per tensorinfo_map: with the keys {sorted(inputs)}"
            )
        return {next(iter(inputs)): body.values}
    if body.form == "inputs":
        # Unknown inputs are ignored, as in TensorFlow Serving.
        if missing := sorted(inputs.keys() - body.values.keys()):
            raise JsonError(
                f"Missing named input: {missing[0]} in 'inputs' object: it has the keys "
                f"{_keys(body.values)}, expected {sorted(inputs)}"
            )
        return {name: body.values[name] for name in inputs}
    for index, instance in enumerate(body.values):
        if not _is_object(instance):
            raise JsonError(
                f"Expecting object but got {kind_of(instance)} at item {index} of input list: "
                "expected one like item 0"
            )
        if instance.keys() != inputs.keys():
            raise JsonError(
                f"Failed to process element: {index} of 'instances' list. JSON object has the "
                f"keys {_keys(instance)}, keys must be equal to: {','.join(sorted(inputs))}"
            )
    return {name: [instance[name] for instance in body.values] for name in inputs}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() != {"b64"}


def _keys(value: Iterable[str]) -> str:
    return reprlib.repr(sorted(value))


def format_predictions(outputs: Arrays, form: Form) -> bytes:
    """Writes an answer in the form of its request: `predictions` for rows, `outputs` for columns.

    A single output is written without its name. Strings are text, or `{"b64": …}` if the output's
    name ends in `_bytes`.

    Raises:
        JsonError: the form is rows, but the outputs differ in their first dimension.
    """
    if form == "inputs":
        columns = {name: jsonable(name, array) for name, array in outputs.items()}
        return write_json({"outputs": _only(columns)})
    lengths = {name: array.shape[:1] for name, array in outputs.items()}
    if len(set(lengths.values())) != 1 or () in lengths.values():
        raise JsonError(
            f"the outputs have the first dimensions {lengths}, expected equal ones for the row "
            "format: send 'inputs' instead of 'instances'"
        )
    if len(outputs) == 1:
        [(name, array)] = outputs.items()
        return write_json({"predictions": jsonable(name, array)})
    rows = [jsonable_rows(name, array) for name, array in outputs.items()]
    predictions = [dict(zip(outputs, row, strict=True)) for row in zip(*rows, strict=True)]
    return write_json({"predictions": predictions})


def _only(columns: dict[str, Any]) -> Any:
    return next(iter(columns.values())) if len(columns) == 1 else columns
