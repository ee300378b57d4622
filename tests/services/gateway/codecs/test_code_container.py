from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from services.gateway.codecs.code_container import (
    Codes,
    codes_document,
    read_codes_document,
    read_container,
    write_container,
)
from services.gateway.request.errors import InvalidRequest
from services.serving_api.rest_json.errors import JsonError

NUMBERS = st.one_of(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=6)),
    arrays(
        np.float32,
        array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    ),
)
CODES = st.builds(
    Codes,
    st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable()),
    st.integers(0, 2**63 - 1),
    st.lists(st.integers(1, 2**32 - 1), min_size=2, max_size=3).map(tuple),
    NUMBERS,
)
SAMPLE = Codes("codec", 3, (28, 28, 1), np.arange(8, dtype=np.uint8).reshape(2, 4))
CONTAINER = write_container(SAMPLE)


def assert_same(read: Codes, written: Codes) -> None:
    assert (read.model, read.version) == (written.model, written.version)
    assert read.image_shape == written.image_shape
    assert read.codes.dtype == written.codes.dtype
    np.testing.assert_array_equal(read.codes, written.codes)


@given(CODES)
def test_a_container_gives_back_what_went_in(codes):
    assert_same(read_container(write_container(codes)), codes)


@given(CODES)
def test_a_document_gives_back_what_went_in(codes):
    text = orjson.dumps(codes_document(codes), option=orjson.OPT_SERIALIZE_NUMPY)
    assert_same(read_codes_document(json.loads(text)), codes)


def test_the_container_is_as_its_module_draws_it():
    content = CONTAINER[:-4]
    assert content == (
        b"LCTC\x01u1"
        + struct.pack("<qIIBH", 3, 2, 4, 3, 5)
        + struct.pack("<III", 28, 28, 1)
        + b"codec"
        + bytes(range(8))
    )
    assert CONTAINER[-4:] == struct.pack("<I", zlib.crc32(content))


@given(st.integers(0, len(CONTAINER) - 1), st.integers(1, 255))
def test_no_damaged_byte_goes_unnoticed(position, change):
    damaged = bytearray(CONTAINER)
    damaged[position] ^= change
    with pytest.raises(InvalidRequest):
        read_container(bytes(damaged))


@given(st.integers(0, len(CONTAINER) - 1), st.binary(max_size=3))
def test_no_wrong_length_goes_unnoticed(length, more):
    with pytest.raises(InvalidRequest):
        read_container(CONTAINER[:length] if len(more) != 3 else CONTAINER + more)


@given(st.binary(max_size=60))
def test_a_header_of_nonsense_with_the_right_checksum_is_refused(content):
    body = CONTAINER[:5] + content
    with pytest.raises(InvalidRequest, match="damaged"):
        read_container(body + struct.pack("<I", zlib.crc32(body)))


def test_a_header_that_claims_more_than_there_is_is_refused_at_once():
    body = bytearray(CONTAINER[:-4])
    struct.pack_into("<II", body, 15, 2**32 - 1, 2**32 - 1)
    with pytest.raises(InvalidRequest, match="lengths are wrong"):
        read_container(bytes(body) + struct.pack("<I", zlib.crc32(body)))


def test_another_file_and_a_later_format_are_told_apart():
    with pytest.raises(InvalidRequest, match=r"start with b'\\x89PNG.*:compress answers"):
        read_container(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InvalidRequest, match="format version 2, expected version 1"):
        read_container(b"LCTC\x02" + CONTAINER[5:])


@pytest.mark.parametrize("codes", [np.zeros((2, 3), np.int64), np.zeros((2, 3, 4), np.uint8)])
def test_unsupported_codes_are_refused(codes):
    with pytest.raises(InvalidRequest, match="expected uint8 or float32"):
        write_container(Codes("m", 1, (28, 28, 1), codes))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": 1}, "model"),
        ({"model": {"name": "m"}}, "model.version"),
        ({"model": {"name": "m", "version": -1}}, "model.version"),
        ({"model": {"name": "m", "version": str(2**63)}}, "model.version"),
        ({"image_shape": [28]}, "image_shape"),
        ({"image_shape": [0, 28]}, "image_shape.0"),
        ({"dtype": "int64"}, "dtype"),
        ({"codes": []}, "codes"),
        ({"codes": [1, 2]}, r"shape \[2\]"),
        ({"codes": [[]]}, r"shape \[1, 0\]"),
        ({"codes": [[256]]}, "uint8"),
        ({"codes": [[1], [1, 2]]}, "ragged"),
        ({"codes": [["a"]]}, "uint8"),
    ],
)
def test_a_document_that_is_none_is_explained(change, words):
    document = json.loads(orjson.dumps(codes_document(SAMPLE), option=orjson.OPT_SERIALIZE_NUMPY))
    with pytest.raises((InvalidRequest, JsonError), match=words):
        read_codes_document({**document, **change})


def test_the_version_may_be_a_number():
    document = json.loads(orjson.dumps(codes_document(SAMPLE), option=orjson.OPT_SERIALIZE_NUMPY))
    maker = {"name": SAMPLE.model, "version": 2**63 - 1}
    assert read_codes_document({**document, "model": maker}).version == 2**63 - 1


@pytest.mark.parametrize("document", [None, 1, [], "a", {}])
def test_what_is_no_document_is_explained(document):
    with pytest.raises(InvalidRequest, match="the JSON that :compress answers"):
        read_codes_document(document)
