"""Tensors of the Open Inference Protocol: converts JSON values or raw bytes and numpy arrays.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/
inference_rest.md, and Triton's extensions: binary tensor data and classification.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

from services.serving_api.dtypes import DTYPES, data_type_name, is_integer
from services.serving_api.rest_json.values import to_array
from services.serving_api.rest_json.writing import jsonable_numbers
from services.serving_api.signatures import TensorSpec

_DATATYPES: Mapping[np.dtype[Any], str] = {
    np.dtype(scalar): name
    for scalar, name in [
        (np.bool_, "BOOL"),
        (np.uint8, "UINT8"),
        (np.uint16, "UINT16"),
        (np.uint32, "UINT32"),
        (np.uint64, "UINT64"),
        (np.int8, "INT8"),
        (np.int16, "INT16"),
        (np.int32, "INT32"),
        (np.int64, "INT64"),
        (np.float16, "FP16"),
        (ml_dtypes.bfloat16, "BF16"),
        (np.float32, "FP32"),
        (np.float64, "FP64"),
        (np.object_, "BYTES"),
    ]
}
_LENGTH = struct.Struct("<I")


class OpenInferenceError(ValueError):
    """A tensor does not fit its signature or this protocol; the message is sent to the client."""


def check_datatype(name: str, datatype: str, spec: TensorSpec) -> None:
    """Checks the datatype that a request gives for an input.

    Raises:
        OpenInferenceError: the signature has another datatype, or one that is not in the protocol.
    """
    expected = datatype_of(spec.data_type)
    if expected not in _DATATYPES.values():
        raise _not_carried(f"input {name!r} is {data_type_name(spec.data_type)}")
    if datatype != expected:
        raise OpenInferenceError(
            f"input {name!r} has the datatype {datatype!r}, expected {expected!r}"
        )


def datatype_of(data_type: int) -> str:
    """Returns the protocol's name of a `DataType`, or TensorFlow's name if it has none."""
    dtype = DTYPES.get(data_type)
    name = _DATATYPES.get(dtype.numpy) if dtype else None
    return name or data_type_name(data_type).upper()


def shape_of(spec: TensorSpec) -> list[int]:
    """Returns the shape of a tensor in the metadata of its model, with -1 for a free dimension."""
    # The protocol has no unknown rank; a single free dimension comes nearest.
    sizes = (None,) if spec.shape is None else spec.shape
    return [-1 if size is None else size for size in sizes]


def datatype_of_output(name: str, array: npt.NDArray[Any]) -> str:
    """Returns the protocol's name of an array's dtype.

    Raises:
        OpenInferenceError: the protocol has no such datatype.
    """
    if array.dtype not in _DATATYPES:
        raise _not_carried(f"output {name!r} is {array.dtype}")
    return _DATATYPES[array.dtype]


def _not_carried(tensor: str) -> OpenInferenceError:
    return OpenInferenceError(
        f"{tensor}, which the Open Inference Protocol does not have: use Predict of TensorFlow "
        "Serving's API"
    )


def from_json(name: str, data: Any, shape: Sequence[int], spec: TensorSpec) -> npt.NDArray[Any]:
    """Reads the `data` of an input: a flat list in row-major order, or nested lists.

    Args:
        name: name of the input, for messages.
        data: the JSON value, None if the request has none.
        shape: shape in the request.
        spec: dtype and shape in the signature.

    Raises:
        JsonError: a value does not have the signature's dtype, or the lists are ragged.
        OpenInferenceError: the number of values does not fit the shape.
    """
    if data is None:
        raise OpenInferenceError(
            f"input {name!r} has no values, expected 'data', or the parameter 'binary_data_size' "
            "and bytes behind the JSON"
        )
    array = to_array(name, data, spec)
    if array.size != math.prod(shape):
        raise _wrong_size(name, f"{array.size} values", f"{math.prod(shape)}", shape)
    return _shaped(name, array, shape)


def from_bytes(name: str, raw: bytes, shape: Sequence[int], spec: TensorSpec) -> npt.NDArray[Any]:
    """Reads the raw bytes of an input: little-endian, row-major; each string after its length.

    Returns:
        A view of the bytes; for BYTES an array of objects.

    Raises:
        OpenInferenceError: the number of bytes or strings does not fit the shape.
    """
    dtype = DTYPES[spec.data_type].numpy
    count = math.prod(shape)
    if dtype.hasobject:
        return _from_strings(name, raw, shape)
    if len(raw) != count * dtype.itemsize:
        raise _wrong_size(name, f"{len(raw)} bytes", f"{count * dtype.itemsize}", shape)
    return _shaped(name, np.frombuffer(raw, dtype), shape)


def from_values(
    name: str,
    values: Sequence[Any] | npt.NDArray[Any],
    shape: Sequence[int],
    spec: TensorSpec,
) -> npt.NDArray[Any]:
    """Reads the typed values of an input in row-major order, as gRPC carries them.

    Args:
        name: name of the input, for messages.
        values: the repeated field of the message. numpy reads it with the field's own dtype; from
            a list it would infer one, which is float64 where large integers meet small ones.
        shape: shape in the request.
        spec: dtype and shape in the signature.

    Raises:
        OpenInferenceError: there are more or fewer values than the shape holds, or an integer is
            not one of the datatype.
    """
    if len(values) != math.prod(shape):
        raise _wrong_size(name, f"{len(values)} typed values", f"{math.prod(shape)}", shape)
    dtype = DTYPES[spec.data_type].numpy
    # The message's own dtype, of which conversion would wrap what does not fit.
    received = np.array(values, np.object_ if dtype.hasobject else None)
    array = received.astype(dtype, copy=False)
    if is_integer(dtype) and (array != received).any():
        raise OpenInferenceError(
            f"input {name!r} holds an integer that is out of range, expected {dtype.name}"
        )
    return _shaped(name, array, shape)


def _from_strings(name: str, raw: bytes, shape: Sequence[int]) -> npt.NDArray[Any]:
    values = list(_split(name, raw))
    if len(values) != math.prod(shape):
        raise _wrong_size(name, f"{len(values)} strings", f"{math.prod(shape)}", shape)
    array = np.empty(len(values), np.object_)
    array[:] = values
    return _shaped(name, array, shape)


def _split(name: str, raw: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(raw):
        start = position + _LENGTH.size
        end = start + (_LENGTH.unpack_from(raw, position)[0] if start <= len(raw) else 0)
        if max(start, end) > len(raw):
            raise OpenInferenceError(
                f"input {name!r}: its {len(raw)} bytes end within a string, expected each string "
                "after its length in four bytes (little-endian)"
            )
        yield raw[start:end]
        position = end


def _shaped(name: str, array: npt.NDArray[Any], shape: Sequence[int]) -> npt.NDArray[Any]:
    try:
        return array.reshape(shape)
    except ValueError:  # The shape of an empty array may have dimensions that numpy rejects.
        raise OpenInferenceError(f"input {name!r}: no array has the shape {list(shape)}") from None


def _wrong_size(
    name: str, received: str, expected: str, shape: Sequence[int]
) -> OpenInferenceError:
    return OpenInferenceError(
        f"input {name!r} has {received}, expected {expected} for the shape {list(shape)}"
    )


def to_json(name: str, array: npt.NDArray[Any]) -> Any:
    """Returns an output for `write_json`: a flat list in row-major order; strings become text.

    Raises:
        OpenInferenceError: a string is not UTF-8, so it can only be sent as raw bytes.
    """
    flat = np.ascontiguousarray(array).ravel()
    if not flat.dtype.hasobject:
        return jsonable_numbers(flat)
    try:
        return [value.decode() for value in flat.tolist()]
    except UnicodeDecodeError:
        raise OpenInferenceError(
            f"output {name!r} holds bytes that are not UTF-8: ask for it with the parameter "
            '"binary_data": true'
        ) from None


def to_bytes(array: npt.NDArray[Any]) -> bytes:
    """Writes an output as raw bytes."""
    if array.dtype.hasobject:
        return b"".join(_LENGTH.pack(len(value)) + value for value in array.ravel().tolist())
    return array.tobytes()


def classification_strings(
    name: str, array: npt.NDArray[Any], count: int, labels: Sequence[str] = ()
) -> npt.NDArray[Any]:
    """Returns the classes with the highest scores, as in Triton's classification extension.

    Args:
        name: name of the output, for messages.
        array: scores of one example, or of a batch: [K] or [N, ...].
        count: number of classes to return, or all classes if there are fewer.
        labels: name of each class; ignored if their number is not that of the scores.

    Returns:
        `score:index` or `score:index:label`, the highest score first: [count] or [N, count].

    Raises:
        OpenInferenceError: the count is not positive, or the output is a scalar or strings.
    """
    if count < 1:
        raise OpenInferenceError(
            f"output {name!r} has the parameter 'classification' {count}, expected at least 1"
        )
    if array.ndim == 0 or datatype_of_output(name, array) == "BYTES":
        raise OpenInferenceError(
            f"output {name!r} is {array.dtype} of shape {list(array.shape)}, expected numbers in "
            "one or more dimensions for the parameter 'classification'"
        )
    shape = array.shape if array.ndim > 1 else (1, *array.shape)
    rows = array.reshape(shape[0], math.prod(shape[1:]))
    # The complement reverses the order of integers without an overflow.
    order = np.argsort(~rows if rows.dtype.kind in "biu" else -rows, axis=1, kind="stable")
    known = labels if len(labels) == rows.shape[1] else ()
    classes = np.empty((len(rows), min(count, rows.shape[1])), np.object_)
    for example, column in np.ndindex(classes.shape):
        index = int(order[example, column])
        classes[example, column] = _class(rows[example, index].item(), index, known)
    return classes if array.ndim > 1 else classes[0]


def _class(score: float, index: int, labels: Sequence[str]) -> bytes:
    number = f"{score:f}" if isinstance(score, float) else f"{score:d}"
    return ":".join([number, str(index), *labels[index : index + 1]]).encode()
