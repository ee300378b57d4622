"""The JSON of TensorFlow Serving's REST predict call, row (`instances`) and columnar (`inputs`).

Source: tensorflow_serving/util/json_tensor.cc and g3doc/api_rest.md.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import orjson

from services.serving_api.dtypes import DTYPES, data_type_name
from services.serving_api.protos import types_pb2
from services.serving_api.signatures import TensorSpec

Arrays = Mapping[str, npt.NDArray[Any]]


class JsonError(ValueError):
    """A body that is not a predict request; the message says what was received and expected."""


@dataclass(frozen=True)
class PredictBody:
    """A parsed request whose tensors are still JSON values.

    Attributes:
        signature_name: the signature asked for, empty for the default one.
        form: `instances` (row) or `inputs` (columnar).
        values: what stands under that key.
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
        return json.loads(body)
    except (ValueError, RecursionError):
        raise JsonError(f"JSON Parse error: the body is not JSON: {reason}") from None


def parse_predict_body(body: bytes) -> PredictBody:
    """Read the envelope of a predict request.

    Raises:
        JsonError: not JSON, not exactly one of `instances` and `inputs`, or an empty `instances`.
    """
    return read_predict_document(parse_json(body))


def read_predict_document(document: Any) -> PredictBody:
    """Read the envelope of a predict request that is parsed already.

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
    if not isinstance(instances, list) or not instances:
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
    return {name: _to_array(name, value, inputs[name]) for name, value in columns.items()}


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


def _to_array(name: str, value: Any, spec: TensorSpec) -> npt.NDArray[Any]:
    if spec.data_type == types_pb2.DT_STRING:
        return _string_array(name, _decode_strings(name, value))
    dtype = DTYPES[spec.data_type].numpy
    if isinstance(value, dict):
        raise JsonError(
            f"input {name!r} holds an object, which is not of expected type: "
            f"{data_type_name(spec.data_type)}"
        )
    try:
        # Without a target dtype numpy tells what the JSON really held; with one it would round.
        array = np.asarray(value)
    except ValueError:
        raise _ragged(name) from None
    if not _holds(array, dtype):
        raise JsonError(
            f"input {name!r} holds {_content(array)}, which is not of expected type: "
            f"{data_type_name(spec.data_type)}"
        )
    if not _is_lossless(array, dtype):
        raise JsonError(
            f"input {name!r}: Cannot convert JSON value: {_content(array)} to "
            f"{data_type_name(spec.data_type)} without loss of precision."
        )
    return array.astype(dtype, copy=False)


def _string_array(name: str, value: Any) -> npt.NDArray[Any]:
    try:
        array = np.asarray(value, np.object_)
    except ValueError:
        raise _ragged(name) from None
    if any(isinstance(item, list) for item in array.flat):
        raise _ragged(name)
    return array


def _ragged(name: str) -> JsonError:
    return JsonError(f"input {name!r} is ragged, expected lists of equal length at each depth")


def _holds(array: npt.NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Tell whether JSON values fit a dtype: floats take whole numbers, nothing else converts."""
    if array.size == 0 or array.dtype == dtype:
        return True
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return array.dtype.kind in "iu" and bool(
            array.min() >= limits.min and array.max() <= limits.max
        )
    return dtype.kind not in "bO" and array.dtype.kind in "fiu"


def _is_lossless(array: npt.NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Tell whether a float of this dtype can hold the numbers: whole ones exactly."""
    if dtype.kind != "f" or array.size == 0:
        return True
    if array.dtype.kind in "iu":
        most = 2 ** (np.finfo(dtype).nmant + 1) - 1
        return bool(array.max() <= most and array.min() >= -most)
    with np.errstate(over="ignore"):
        return bool((np.isfinite(array.astype(dtype)) == np.isfinite(array)).all())


def _decode_strings(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_decode_strings(name, item) for item in value]
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except (binascii.Error, ValueError):
            raise JsonError(
                f"input {name!r} holds a 'b64' that starts with {value['b64'][:20]!r}, expected "
                "standard base64 (A-Z, a-z, 0-9, +, /, padded with =)"
            ) from None
    raise JsonError(
        f"input {name!r} holds {kind_of(value)}, which is not of expected type: string: send a "
        'string or {"b64": "..."}'
    )


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


def kind_of(value: Any) -> str:
    """Name a JSON value's type for a message."""
    if isinstance(value, (dict, list)) and not value:
        return "empty"
    names = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "a boolean",
        type(None): "null",
    }
    return names.get(type(value), "a number")


def _content(array: npt.NDArray[Any]) -> str:
    if array.dtype.kind in "iu":
        return f"whole numbers from {array.min()} to {array.max()}"
    return {"f": "numbers with a decimal point", "b": "booleans", "U": "strings"}.get(
        array.dtype.kind, "mixed values"
    )
