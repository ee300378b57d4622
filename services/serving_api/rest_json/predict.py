"""The JSON of TensorFlow Serving's REST predict call, row (`instances`) and columnar (`inputs`).

Source: tensorflow_serving/util/json_tensor.cc and g3doc/api_rest.md.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import orjson

from services.serving_api.rest_json.dense import parse_dense_json
from services.serving_api.rest_json.values import JsonError, kind_of, to_array
from services.serving_api.signatures import TensorSpec

__all__ = [
    "JsonError",
    "PredictBody",
    "format_predictions",
    "parse_json",
    "parse_predict_body",
    "read_predict_document",
    "read_signature_name",
    "to_arrays",
]

Arrays = Mapping[str, npt.NDArray[Any]]

_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""What may be half of a pair, or all of one."""


@dataclass(frozen=True)
class PredictBody:
    """A parsed request whose tensors are still JSON values.

    Attributes:
        signature_name: the signature asked for, empty for the default one.
        form: `instances` (row) or `inputs` (columnar).
        values: what stands under that key; lists of numbers may have become one array.
    """

    signature_name: str
    form: Literal["instances", "inputs"]
    values: Any


def parse_json(body: bytes) -> Any:
    """Parse JSON, the tokens NaN, Infinity and -Infinity included.

    Raises:
        JsonError: the body is not JSON.
    """
    if not body:
        raise JsonError("JSON Parse error: The document is empty")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = str(error)
    try:
        # The standard library's parser is slower, but knows the three tokens.
        document = json.loads(body)
        if _LONE_SURROGATE.search(body):
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise JsonError(
            "JSON Parse error: the body holds half of a surrogate pair (\\ud800 to \\udfff), which "
            "is no text"
        ) from None
    except (ValueError, RecursionError):
        raise JsonError(f"JSON Parse error: the body is not JSON: {reason}") from None
    return document


def parse_predict_body(body: bytes) -> PredictBody:
    """Read the envelope of a predict request.

    Raises:
        JsonError: not JSON, not exactly one of `instances` and `inputs`, or an empty `instances`.
    """
    return read_predict_document(parse_dense_json(body) or parse_json(body))


def read_predict_document(document: Any) -> PredictBody:
    """Read the envelope of a predict request that `parse_json` or `parse_dense_json` has parsed.

    Raises:
        JsonError: not exactly one of `instances` and `inputs`, or an empty `instances`.
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
            f"{problem}: received the keys {sorted(document)}, expected exactly one of "
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
            f"{problem}: it is {kind_of(instances)}, expected a non-empty list, "
            "one entry an example"
        )
    return PredictBody(name, "instances", instances)


def read_signature_name(document: Mapping[str, Any]) -> str:
    """Return the signature that a request asks for, empty for the default one.

    Raises:
        JsonError: it is no string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise JsonError(f"'signature_name' key must be a string value: it is {kind_of(name)}")
    return name


def to_arrays(body: PredictBody, inputs: Mapping[str, TensorSpec]) -> dict[str, npt.NDArray[Any]]:
    """Turn the JSON values of a request into the inputs of a signature.

    Raises:
        JsonError: a missing or unknown input, ragged lists, or a value that the dtype cannot hold.
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
        # What the signature does not know is ignored, as in TensorFlow Serving.
        if missing := sorted(inputs.keys() - body.values.keys()):
            raise JsonError(
                f"Missing named input: {missing[0]} in 'inputs' object: it has the keys "
                f"{sorted(body.values)}, expected {sorted(inputs)}"
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
                f"keys {sorted(instance)}, keys must be equal to: {','.join(sorted(inputs))}"
            )
    return {name: [instance[name] for instance in body.values] for name in inputs}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() != {"b64"}


def format_predictions(outputs: Arrays, form: Literal["instances", "inputs"]) -> bytes:
    """Write the answer to a request in its own form: `predictions` for rows, `outputs` for columns.

    A single output loses its name. Strings are text, or `{"b64": …}` where the output's name ends
    in `_bytes`.

    Raises:
        JsonError: the row form was asked for, but the outputs do not share their first dimension.
    """
    columns = {name: _jsonable(name, array) for name, array in outputs.items()}
    finite = all(np.isfinite(array).all() for array in outputs.values() if array.dtype.kind in "fc")
    values: Any = next(iter(columns.values())) if len(columns) == 1 else columns
    if form == "inputs":
        return _dump({"outputs": values}, finite)
    lengths = {name: array.shape[:1] for name, array in outputs.items()}
    if len(set(lengths.values())) != 1 or () in lengths.values():
        raise JsonError(
            f"the outputs have the first dimensions {lengths}, the row format needs them equal: "
            "send 'inputs' instead of 'instances'"
        )
    if len(columns) > 1:
        values = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
    return _dump({"predictions": values}, finite)


def _jsonable(name: str, array: npt.NDArray[Any]) -> Any:
    if array.dtype.kind == "O":
        encode = _b64 if name.endswith("_bytes") else _text
        # A list of lists, since the JSON writer knows no object arrays.
        return np.frompyfunc(encode, 1, 1)(array).tolist() if array.ndim else encode(array.item())
    if array.dtype.kind == "c":
        raise JsonError(f"output {name!r} is {array.dtype}, which JSON cannot carry: use gRPC")
    if array.dtype.kind not in "fiub":
        array = array.astype(np.float32)
    # orjson writes numpy scalars, but no arrays without a dimension.
    return np.asarray(array, order="C")[()]


def _b64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _dump(document: Any, finite: bool) -> bytes:
    if finite:
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    # orjson would write null for NaN and Infinity.
    return json.dumps(document, default=_shortest, separators=(",", ":")).encode()


def _shortest(value: npt.NDArray[Any] | np.generic) -> Any:
    """Return plain numbers whose decimal text is the shortest that reads back as the same float."""
    return (
        value.astype(str).astype(np.float64).tolist() if value.dtype.kind == "f" else value.tolist()
    )
