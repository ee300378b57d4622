"""JSON values as arrays, by TensorFlow Serving's rules of what a dtype takes.

Source: tensorflow_serving/util/json_tensor.cc, `AddValueToTensor`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np
import numpy.typing as npt

from services.serving_api.dtypes import DTYPES, data_type_name
from services.serving_api.protos import types_pb2
from services.serving_api.signatures import TensorSpec


class JsonError(ValueError):
    """A body that is not a predict request; the message says what was received and expected."""


def to_array(name: str, value: Any, spec: TensorSpec) -> npt.NDArray[Any]:
    """Turn one JSON value into an input.

    Args:
        name: of the input, for messages.
        value: a number, a string, a boolean, `{"b64": …}`, or lists of these.
        spec: the input's dtype; its shape is left to the graph.

    Raises:
        JsonError: the lists are ragged, or a value is not of the dtype.
    """
    if spec.data_type == types_pb2.DT_STRING:
        try:
            return _string_array(name, _decode_strings(name, value))
        except RecursionError:
            raise JsonError(f"input {name!r} holds lists that are nested too deeply") from None
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
