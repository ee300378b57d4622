"""TensorFlow's data types as numpy dtypes, with the `TensorProto` field of each.

Source: tensorflow/core/framework/types.proto and tensor.proto.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from services.serving_api.protos import types_pb2


class DType(NamedTuple):
    """One TensorFlow data type in numpy and on the wire.

    Attributes:
        numpy: the dtype of the array.
        field: the repeated typed field of `TensorProto` for its values.
    """

    numpy: np.dtype[Any]
    field: str


_INT_VAL = {
    "DT_INT32": np.int32,
    "DT_INT16": np.int16,
    "DT_INT8": np.int8,
    "DT_UINT16": np.uint16,
    "DT_UINT8": np.uint8,
    "DT_INT4": ml_dtypes.int4,
    "DT_UINT4": ml_dtypes.uint4,
    "DT_QINT32": np.int32,
    "DT_QINT16": np.int16,
    "DT_QINT8": np.int8,
    "DT_QUINT16": np.uint16,
    "DT_QUINT8": np.uint8,
}
_FLOAT8_VAL = {
    "DT_FLOAT8_E5M2": ml_dtypes.float8_e5m2,
    "DT_FLOAT8_E4M3FN": ml_dtypes.float8_e4m3fn,
    "DT_FLOAT8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "DT_FLOAT8_E4M3B11FNUZ": ml_dtypes.float8_e4m3b11fnuz,
    "DT_FLOAT8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
}
_OTHERS = {
    "DT_FLOAT": (np.float32, "float_val"),
    "DT_DOUBLE": (np.float64, "double_val"),
    "DT_HALF": (np.float16, "half_val"),
    "DT_BFLOAT16": (ml_dtypes.bfloat16, "half_val"),
    "DT_STRING": (np.object_, "string_val"),
    "DT_BOOL": (np.bool_, "bool_val"),
    "DT_INT64": (np.int64, "int64_val"),
    "DT_UINT32": (np.uint32, "uint32_val"),
    "DT_UINT64": (np.uint64, "uint64_val"),
    "DT_COMPLEX64": (np.complex64, "scomplex_val"),
    "DT_COMPLEX128": (np.complex128, "dcomplex_val"),
}

DTYPES: dict[int, DType] = {
    types_pb2.DataType.Value(name): DType(np.dtype(scalar), field)
    for name, scalar, field in [
        *((name, scalar, "int_val") for name, scalar in _INT_VAL.items()),
        *((name, scalar, "float8_val") for name, scalar in _FLOAT8_VAL.items()),
        *((name, scalar, field) for name, (scalar, field) in _OTHERS.items()),
    ]
}
"""Every data type that a client can send, by its `DataType` number."""

_DATA_TYPES: dict[np.dtype[Any], int] = {
    dtype.numpy: number
    for number, dtype in DTYPES.items()
    # Quantised types have the same numpy dtypes as plain integers, so arrays are never quantised.
    if not types_pb2.DataType.Name(number).startswith("DT_Q")
}


def is_integer(dtype: np.dtype[Any]) -> bool:
    """Returns whether a dtype is an integer; numpy does not recognize the 4-bit ones."""
    return dtype.kind in "iu" or dtype in (ml_dtypes.int4, ml_dtypes.uint4)


def data_type_of(dtype: np.dtype[Any]) -> int:
    """Returns the `DataType` number of a numpy dtype (text and bytes are DT_STRING).

    Raises:
        KeyError: TensorFlow has no such type.
    """
    return types_pb2.DT_STRING if dtype.kind in "OSU" else _DATA_TYPES[dtype.newbyteorder("=")]


def data_type_name(data_type: int) -> str:
    """Returns the usual name, such as `float32` for DT_FLOAT, or the number of an unknown type."""
    if data_type == types_pb2.DT_STRING:
        return "string"
    return DTYPES[data_type].numpy.name if data_type in DTYPES else str(data_type)
