"""Writes arrays as JSON, with the tokens NaN and Infinity that TensorFlow Serving writes."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from services.serving_api.dtypes import is_integer
from services.serving_api.rest_json.errors import JsonError

_TOKENS = {"nan": b"NaN", "inf": b"Infinity", "-inf": b"-Infinity"}


def write_json(document: Any) -> bytes:
    """Writes a document whose arrays were converted by `jsonable` or `jsonable_numbers`."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def jsonable(name: str, array: npt.NDArray[Any]) -> Any:
    """Returns an output in the form that `write_json` takes.

    Args:
        name: name of the output; if it ends in `_bytes`, strings become `{"b64": …}`.
        array: values of the output.

    Raises:
        JsonError: JSON cannot represent the dtype.
    """
    if array.dtype.kind == "O":
        encode = _b64 if name.endswith("_bytes") else _text
        # A list of lists, since orjson does not support object arrays.
        return np.frompyfunc(encode, 1, 1)(array).tolist() if array.ndim else encode(array.item())
    if array.dtype.kind == "c":
        raise JsonError(f"output {name!r} is {array.dtype}, which JSON cannot represent: use gRPC")
    return jsonable_numbers(array)


def jsonable_rows(name: str, array: npt.NDArray[Any]) -> Iterable[Any]:
    """Returns each row of an output in the form that `write_json` takes.

    Raises:
        JsonError: JSON cannot represent the dtype.
    """
    whole = jsonable(name, array)
    if isinstance(whole, orjson.Fragment):
        return [jsonable(name, row) for row in array]
    rows: Iterable[Any] = whole
    return rows


def jsonable_numbers(array: npt.NDArray[Any]) -> Any:
    """Returns numbers (of any dtype except complex) or booleans in the form for `write_json`."""
    if array.dtype.isbuiltin != 1:
        array = array.astype(np.int8 if is_integer(array.dtype) else np.float32)
    array = np.asarray(array, order="C")
    # orjson supports numpy scalars, but not arrays of rank 0.
    values = array[()]
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return values
    # orjson writes null for NaN and Infinity.
    parts = write_json(values).split(b"null")
    tokens = map(_TOKENS.__getitem__, map(str, array[~np.isfinite(array)].tolist()))
    # Takes less memory than a join, which allocates 80 bytes per part.
    text = io.BytesIO()
    text.writelines(chain.from_iterable(zip_longest(parts, tokens, fillvalue=b"")))
    return orjson.Fragment(text.getvalue())


def _b64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
