"""Converts JSON values to arrays, by TensorFlow Serving's rules for the values of each dtype.

Values are checked by their JSON types, before numpy would promote a mixture to one dtype.

Source: tensorflow_serving/util/json_tensor.cc, `AddValueToTensor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import numpy.typing as npt

from services.serving_api.dtypes import DTYPES, data_type_name, is_integer
from services.serving_api.protos import types_pb2
from services.serving_api.rest_json.b64 import decode_b64
from services.serving_api.rest_json.dense import MAX_DIMENSIONS
from services.serving_api.rest_json.errors import JsonError, kind_of
from services.serving_api.signatures import TensorSpec

_NAMES = {
    bool: "booleans",
    dict: "objects",
    float: "numbers with a decimal point",
    int: "whole numbers",
    list: "lists",
    str: "strings",
    type(None): "null",
}


class _Leaves(NamedTuple):
    """The values in nested lists.

    Attributes:
        shape: length of the lists at each depth.
        values: the values in row-major order.
        kinds: the types of the values.
    """

    shape: tuple[int, ...]
    values: Sequence[Any]
    kinds: set[type]


def to_array(name: str, value: Any, spec: TensorSpec) -> npt.NDArray[Any]:
    """Converts one JSON value into an input.

    Args:
        name: the input's name, for messages.
        value: a number, a string, a boolean, `{"b64": …}`, or lists of these; or an array instead
            of lists of numbers.
        spec: dtype of the input; its shape is checked by the graph.

    Raises:
        JsonError: the lists are ragged, or a value does not fit the dtype.
    """
    is_string = spec.data_type == types_pb2.DT_STRING
    if isinstance(value, np.ndarray):
        if is_string:
            raise _not_a_string(name, value.flat[0])
        return _cast(name, value, spec)
    leaves = _flatten(name, value)
    if is_string:
        array: npt.NDArray[Any] = np.empty(len(leaves.values), np.object_)
        array[:] = [_to_bytes(name, leaf) for leaf in leaves.values]
    else:
        array = _cast(name, _numbers(name, leaves, spec), spec)
    return array.reshape(leaves.shape)


def _flatten(name: str, value: Any) -> _Leaves:
    shape: list[int] = []
    items: Sequence[Any] = (value,)
    while list in (kinds := set(map(type, items))):
        lengths = set(map(len, items)) if len(kinds) == 1 else set()
        if len(lengths) != 1:
            raise JsonError(
                f"input {name!r} is ragged, expected lists of equal length at each depth"
            )
        if len(shape) == MAX_DIMENSIONS:
            raise JsonError(
                f"input {name!r} holds lists that are nested too deeply, expected at most "
                f"{MAX_DIMENSIONS} dimensions"
            )
        shape.append(lengths.pop())
        items = items[0] if len(items) == 1 else list(chain.from_iterable(items))
    return _Leaves(tuple(shape), items, kinds)


def _numbers(name: str, leaves: _Leaves, spec: TensorSpec) -> npt.NDArray[Any]:
    """Returns numbers or booleans in the first dtype that represents them exactly."""
    if not leaves.kinds:
        return np.empty(0, DTYPES[spec.data_type].numpy)
    if leaves.kinds == {bool}:
        return np.array(leaves.values, np.bool_)
    if not leaves.kinds <= {int, float}:
        raise _not_expected(name, " and ".join(sorted(map(_NAMES.__getitem__, leaves.kinds))), spec)
    dtypes: list[type[np.number[Any]]] = [] if float in leaves.kinds else [np.int64, np.uint64]
    if not is_integer(DTYPES[spec.data_type].numpy):
        dtypes.append(np.float64)
    for dtype in dtypes:
        try:
            return np.array(leaves.values, dtype)
        except OverflowError:
            continue
    content = _NAMES[float] if float in leaves.kinds else "whole numbers that are too large"
    raise _not_expected(name, content, spec)


def _cast(name: str, array: npt.NDArray[Any], spec: TensorSpec) -> npt.NDArray[Any]:
    """Converts numbers to the dtype of an input: floats are rounded, nothing else is changed."""
    dtype = DTYPES[spec.data_type].numpy
    if array.dtype == dtype or not array.size:
        return array.astype(dtype, copy=False)
    if is_integer(dtype):
        limits = ml_dtypes.iinfo(dtype)  # type: ignore[no-untyped-call]
        is_held = (
            array.dtype.kind in "iu" and array.min() >= limits.min and array.max() <= limits.max
        )
    else:
        is_held = array.dtype.kind in "iuf" and dtype.kind != "b"
    if not is_held:
        raise _not_expected(name, _content(array), spec)
    # Numbers that are too large become Infinity, as in TensorFlow Serving.
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(dtype)


def _content(array: npt.NDArray[Any]) -> str:
    if array.dtype.kind in "iu":
        return f"whole numbers from {array.min()} to {array.max()}"
    return _NAMES[bool] if array.dtype.kind == "b" else _NAMES[float]


def _not_expected(name: str, content: str, spec: TensorSpec) -> JsonError:
    return JsonError(
        f"input {name!r} holds {content}, which is not of expected type: "
        f"{data_type_name(spec.data_type)}"
    )


def _to_bytes(name: str, value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str):
        try:
            return decode_b64(value["b64"])
        except ValueError as error:
            raise JsonError(
                f"input {name!r} holds a 'b64' that cannot be decoded: {error}"
            ) from None
    raise _not_a_string(name, value)


def _not_a_string(name: str, value: Any) -> JsonError:
    return JsonError(
        f"input {name!r} holds {kind_of(value)}, which is not of expected type: string: send a "
        'string or {"b64": "..."}'
    )
