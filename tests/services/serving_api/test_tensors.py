"""The tensor codec against TensorFlow's own."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from services.serving_api.dtypes import DTYPES
from services.serving_api.protos import tensor_pb2, types_pb2
from services.serving_api.tensors import TensorError, to_ndarray, to_tensor_proto

NUMBERS = sorted(number for number in DTYPES if number != types_pb2.DT_STRING)
QUANTISED = {n for n in NUMBERS if types_pb2.DataType.Name(n).startswith("DT_Q")}
# tf.make_tensor_proto and tf.make_ndarray know neither of these; TensorFlow itself does.
UNKNOWN_TO_ORACLE = {
    types_pb2.DT_FLOAT8_E4M3FNUZ,
    types_pb2.DT_FLOAT8_E4M3B11FNUZ,
    types_pb2.DT_FLOAT8_E5M2FNUZ,
}
SHAPES = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


def random_array(number: int, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return values of every bit pattern of the dtype, but for odd NaNs, which casts quieten."""
    dtype = DTYPES[number].numpy
    random = np.random.default_rng(seed)
    if dtype == np.bool_:
        return random.integers(0, 2, shape).astype(np.bool_)
    if dtype.name in {"int4", "uint4"}:
        return random.integers(0, 8, shape).astype(dtype)
    raw = random.bytes(int(np.prod(shape)) * dtype.itemsize)
    array = np.frombuffer(raw, dtype).reshape(shape).copy()
    if dtype.kind not in "iu":
        with np.errstate(invalid="ignore"):
            array[np.isnan(array)] = np.nan
    return array


def equal_bits(left: np.ndarray, right: np.ndarray) -> bool:
    return left.shape == right.shape and left.tobytes() == right.tobytes()


@pytest.mark.parametrize("number", NUMBERS, ids=types_pb2.DataType.Name)
@given(shape=SHAPES, seed=st.integers(0, 2**32 - 1), typed_fields=st.booleans())
def test_numbers_round_trip(number, shape, seed, typed_fields):
    array = random_array(number, shape, seed)
    proto = to_tensor_proto(array, number, typed_fields=typed_fields)
    decoded = to_ndarray(tensor_pb2.TensorProto.FromString(proto.SerializeToString()))
    assert decoded.dtype == array.dtype
    assert equal_bits(decoded, array)


@pytest.mark.parametrize("number", NUMBERS, ids=types_pb2.DataType.Name)
@given(shape=SHAPES, seed=st.integers(0, 2**32 - 1), typed_fields=st.booleans())
def test_tensorflow_reads_what_we_write(number, shape, seed, typed_fields):
    array = random_array(number, shape, seed)
    proto = to_tensor_proto(array, number, typed_fields=typed_fields)
    assert proto.dtype == number
    if number in QUANTISED | UNKNOWN_TO_ORACLE:
        # The C++ kernel behind every constant is the only other oracle.
        read = tf.io.parse_tensor(proto.SerializeToString(), tf.as_dtype(number))
        assert read.shape == array.shape
        if number in UNKNOWN_TO_ORACLE:
            assert equal_bits(read.numpy(), array)
    else:
        assert equal_bits(tf.make_ndarray(proto), array)


@pytest.mark.parametrize(
    "number",
    [n for n in NUMBERS if n not in UNKNOWN_TO_ORACLE | QUANTISED],
    ids=types_pb2.DataType.Name,
)
@given(shape=SHAPES, seed=st.integers(0, 2**32 - 1))
def test_we_read_what_tensorflow_writes(number, shape, seed):
    array = random_array(number, shape, seed)
    decoded = to_ndarray(tf.make_tensor_proto(array, tf.as_dtype(number), shape=array.shape))
    assert equal_bits(decoded, array)


@given(npst.arrays(np.object_, SHAPES, elements=st.binary(max_size=300)))
def test_strings_agree_with_tensorflow(array):
    proto = to_tensor_proto(array)
    assert equal_lists(tf.make_ndarray(proto), array)
    assert equal_lists(to_ndarray(tf.make_tensor_proto(array, tf.string, shape=array.shape)), array)


def equal_lists(left: np.ndarray, right: np.ndarray) -> bool:
    return left.shape == right.shape and left.tolist() == right.tolist()


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_reads_strings_in_tensor_content(strings):
    """The form that C++ clients and `--enable_serialization_as_tensor_content` use."""
    lengths = b"".join(varint(len(string)) for string in strings)
    proto = to_tensor_proto(np.array(strings, np.object_))
    proto.ClearField("string_val")
    proto.tensor_content = lengths + b"".join(strings)
    assert to_ndarray(proto).tolist() == strings


def varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


@pytest.mark.parametrize(
    ("values", "expected"), [([], [0, 0, 0]), ([7], [7, 7, 7]), ([1, 2], [1, 2, 2])]
)
def test_short_typed_fields_repeat_the_last_value(values, expected):
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=values)
    proto.tensor_shape.dim.add(size=3)
    assert to_ndarray(proto).tolist() == expected
    np.testing.assert_array_equal(
        tf.io.parse_tensor(proto.SerializeToString(), tf.float32), expected
    )


def test_text_is_encoded_as_utf8():
    assert list(to_tensor_proto(["é", "z"]).string_val) == ["é".encode(), b"z"]


def test_content_is_a_view_of_the_message():
    proto = to_tensor_proto(np.zeros((2, 3), np.float32))
    assert not to_ndarray(proto).flags.owndata


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dtype": types_pb2.DT_RESOURCE}, "received a tensor of type DT_RESOURCE"),
        ({"dtype": 77}, "received a tensor of type number 77"),
        ({"tensor_content": b"123"}, "3 bytes, expected 8 for float32 of shape"),
        ({"tensor_shape": {"unknown_rank": True}}, "expected every dimension to be known"),
        ({"tensor_shape": {"dim": [{"size": -1}]}}, "expected every dimension to be known"),
        ({"tensor_shape": {"dim": [{"size": 2**40}]}}, "expected at most"),
        (
            {"tensor_content": b"", "tensor_shape": {"dim": [{"size": 0}, *[{"size": 2**40}] * 2]}},
            "impossible shape",
        ),
        (
            {"tensor_shape": {"dim": [{"size": 1}] * 100}, "tensor_content": bytes(4)},
            "impossible shape",
        ),
        ({"tensor_content": b"", "tensor_shape": {"dim": [{"size": 2**25}]}}, "send every value"),
        (
            {
                "dtype": types_pb2.DT_STRING,
                "tensor_content": b"",
                "tensor_shape": {"dim": [{"size": 2**22}]},
            },
            "0 values for 4194304",
        ),
        ({"dtype": types_pb2.DT_STRING, "tensor_content": b"\x80"}, "2 string lengths"),
        ({"dtype": types_pb2.DT_STRING, "tensor_content": b"\x01\x01a"}, "expected 4"),
    ],
)
def test_bad_tensors_are_clear_errors(change, message):
    proto = to_tensor_proto(np.zeros(2, np.float32))
    for field in change:
        proto.ClearField(field)
    proto.MergeFrom(tensor_pb2.TensorProto(**change))
    with pytest.raises(TensorError, match=message):
        to_ndarray(proto)


@pytest.mark.parametrize("array", [np.array(["2020"], "datetime64[D]"), np.array([1, None])])
def test_what_tensorflow_lacks_is_a_clear_error(array):
    with pytest.raises(TensorError, match=r"received .*, expected"):
        to_tensor_proto(array)


@given(st.binary(max_size=200))
def test_any_message_decodes_or_is_a_tensor_error(wire):
    proto = tensor_pb2.TensorProto()
    try:
        proto.ParseFromString(wire)
    except Exception:
        return
    try:
        assert isinstance(to_ndarray(proto), np.ndarray)
    except TensorError as error:
        assert "received" in str(error)  # noqa: PT017 - the message is what is tested
