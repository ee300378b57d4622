"""Converts numpy arrays and `TensorProto`, by the rules of TensorFlow's C++ `Tensor::FromProto`."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from services.serving_api.dtypes import DTYPES, data_type_name, data_type_of
from services.serving_api.protos import tensor_pb2, types_pb2

MAX_TENSOR_BYTES = 2**31 - 1
"""Maximum size of a tensor, that of a gRPC message: a small message must not claim more memory."""


MAX_REPEATED_BYTES = 2**26
"""Maximum size of a tensor that is filled by repeating its last value, since the message that asks
for it may have only a few bytes."""

_STRING_BYTES = 32
"""Memory of an empty string, in the numpy array and in TensorFlow's tensor together."""


class TensorError(ValueError):
    """A tensor cannot be read or written; the message says what was received and expected."""


def to_tensor_proto(
    array: npt.ArrayLike, data_type: int | None = None, *, typed_fields: bool = False
) -> tensor_pb2.TensorProto:
    """Encodes an array.

    Args:
        array: an array of any shape; text is encoded as UTF-8.
        data_type: the `DataType` number; by default that of the array's dtype. Only needed for
            quantised types.
        typed_fields: whether to use the repeated typed field (`float_val`, …), as TensorFlow
            Serving does by default, instead of the much faster `tensor_content`. Strings always use
            it.

    Raises:
        TensorError: TensorFlow has no such dtype.
    """
    values = np.asarray(array)
    try:
        number = data_type_of(values.dtype) if data_type is None else data_type
        dtype = DTYPES[number]
    except KeyError:
        raise TensorError(
            f"received an array of dtype {values.dtype}, expected a dtype of TensorFlow: "
            + ", ".join(sorted({dtype.numpy.name for dtype in DTYPES.values()}))
        ) from None
    proto = tensor_pb2.TensorProto(dtype=number)
    for size in values.shape:
        proto.tensor_shape.dim.add(size=size)
    if number == types_pb2.DT_STRING:
        proto.string_val.extend(map(_as_bytes, values.ravel().tolist()))
        return proto
    native = np.ascontiguousarray(values, dtype=dtype.numpy)
    if typed_fields:
        _set_field(proto, dtype.field, native.ravel())
    else:
        proto.tensor_content = native.tobytes()
    return proto


def to_ndarray(proto: tensor_pb2.TensorProto) -> npt.NDArray[Any]:
    """Decodes a tensor; a `tensor_content` becomes a read-only view of the message, not a copy.

    Typed fields are read as TensorFlow does: surplus values are dropped, the last value is repeated
    for missing ones, and without any values all are zero.

    Raises:
        TensorError: the dtype is not one a client can send, the shape is not fully known, or the
            content does not fill the shape.
    """
    dtype = DTYPES.get(proto.dtype)
    if dtype is None:
        known = proto.dtype in types_pb2.DataType.values()
        name = types_pb2.DataType.Name(proto.dtype) if known else f"number {proto.dtype}"
        raise TensorError(f"received a tensor of type {name}, expected numbers, bools or strings")
    shape = _shape(proto)
    count = math.prod(shape)
    if count * dtype.numpy.itemsize > MAX_TENSOR_BYTES:
        raise TensorError(
            f"received a tensor of shape {list(shape)}, expected at most {MAX_TENSOR_BYTES} bytes"
        )
    # Each look at a message's bytes copies them, which counts for large tensors.
    if content := proto.tensor_content:
        flat = _from_content(content, proto.dtype, shape)
    else:
        flat = _fill(_from_field(proto, dtype.field, dtype.numpy), count, dtype.numpy)
    try:
        return flat.reshape(shape)
    except ValueError:  # The shape of an empty tensor may have dimensions that numpy rejects.
        raise TensorError(f"received a tensor of the impossible shape {list(shape)}") from None


def _shape(proto: tensor_pb2.TensorProto) -> tuple[int, ...]:
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise TensorError(
            f"received a tensor of shape {list(shape)}, expected every dimension to be known"
        )
    return shape


def _from_content(content: bytes, data_type: int, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    dtype, count = DTYPES[data_type].numpy, math.prod(shape)
    if dtype.hasobject:
        return _object_array(_split_strings(content, count))
    expected = count * dtype.itemsize
    if len(content) != expected:
        raise TensorError(
            f"received a tensor_content of {len(content)} bytes, expected {expected} "
            f"for {data_type_name(data_type)} of shape {list(shape)}"
        )
    return np.frombuffer(content, dtype)


def _split_strings(content: bytes, count: int) -> list[bytes]:
    """Decodes the format of C++ `EncodeStringList`: all lengths as varints, then all bytes."""
    lengths, position = [], 0
    for _ in range(count):
        length, shift, more = 0, 0, True
        while more:
            if position == len(content):
                raise TensorError(f"received a tensor_content without {count} string lengths")
            byte = content[position]
            length |= (byte & 0x7F) << shift
            position, shift, more = position + 1, shift + 7, byte >= 0x80
        lengths.append(length)
    if position + sum(lengths) != len(content):
        raise TensorError(
            f"received a tensor_content of {len(content)} bytes, expected {position + sum(lengths)}"
        )
    ends = accumulate(lengths, initial=position)
    return [content[start:end] for start, end in pairwise(ends)]


def _from_field(
    proto: tensor_pb2.TensorProto, field: str, dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    values = getattr(proto, field)
    match field:
        case "string_val":
            return _object_array(values)
        case "float8_val":
            return np.frombuffer(values, dtype)
        case "half_val":
            return np.array(values, np.int32).astype(np.uint16).view(dtype)
        case "scomplex_val" | "dcomplex_val":
            parts = np.array(values, dtype.type(0).real.dtype)
            return parts[: len(parts) // 2 * 2].view(dtype)
        case "int_val":
            # Wraps around as C++ does; numpy would reject values that a narrower type cannot hold.
            return np.array(values, np.int32).astype(dtype)
        case _:
            return np.array(values, dtype)


def _set_field(proto: tensor_pb2.TensorProto, field: str, values: npt.NDArray[Any]) -> None:
    match field:
        case "float8_val":
            proto.float8_val = values.tobytes()
        case "half_val":
            proto.half_val.extend(values.view(np.uint16).tolist())
        case "scomplex_val" | "dcomplex_val":
            getattr(proto, field).extend(values.view(values.real.dtype).tolist())
        case "int_val":
            proto.int_val.extend(values.astype(np.int32).tolist())
        case _:
            getattr(proto, field).extend(values.tolist())


def _fill(values: npt.NDArray[Any], count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if len(values) >= count:
        return values[:count]
    size = count * (_STRING_BYTES if dtype.hasobject else dtype.itemsize)
    if size > MAX_REPEATED_BYTES:
        raise TensorError(
            f"received {len(values)} values for {count}, which takes {size} bytes, expected at "
            f"most {MAX_REPEATED_BYTES} where the last value is repeated: send every value"
        )
    if dtype.hasobject:
        return _object_array(
            [*values, *[values[-1] if len(values) else b""] * (count - len(values))]
        )
    filled = np.full(count, values[-1] if len(values) else 0, dtype)
    filled[: len(values)] = values
    return filled


def _object_array(values: Any) -> npt.NDArray[Any]:
    array = np.empty(len(values), np.object_)
    array[:] = values
    return array


def _as_bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise TensorError(f"received {value!r} in an array of strings, expected str or bytes")
