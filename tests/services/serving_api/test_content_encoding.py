"""Compressed bodies, decoded within a limit."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving_api.content_encoding import (
    DECODERS,
    ContentEncodingError,
    ContentTooLargeError,
    decompress,
)

Compress = Callable[[bytes], bytes]


def bare_deflate(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(content) + stream.flush()


def two_members(content: bytes) -> bytes:
    half = len(content) // 2
    return gzip.compress(content[:half]) + gzip.compress(content[half:])


ENCODINGS = [
    ("gzip", gzip.compress),
    ("x-gzip", two_members),
    ("deflate", zlib.compress),
    ("deflate", bare_deflate),
]


@given(st.binary(max_size=200), st.sampled_from(ENCODINGS))
def test_round_trip(content: bytes, encoded: tuple[str, Compress]) -> None:
    encoding, compress = encoded
    assert decompress(compress(content), encoding, 200) == content
    if content:
        with pytest.raises(ContentTooLargeError):
            decompress(compress(content), encoding, len(content) - 1)


@given(st.binary(max_size=200), st.sampled_from(sorted(DECODERS)))
def test_any_bytes_are_decoded_or_refused(content: bytes, encoding: str) -> None:
    with suppress(ContentEncodingError):
        decompress(content, encoding, 10**6)


@pytest.mark.parametrize(("encoding", "compress"), ENCODINGS)
def test_a_stream_that_ends_too_early_is_refused(encoding: str, compress: Compress) -> None:
    with pytest.raises(ContentEncodingError, match=f"send a complete {encoding} stream"):
        decompress(compress(bytes(range(200)))[:-5], encoding, 200)


@pytest.mark.parametrize(("encoding", "compress"), ENCODINGS)
def test_a_bomb_takes_no_more_memory_than_the_limit(encoding: str, compress: Compress) -> None:
    bomb = compress(bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(ContentTooLargeError):
            decompress(bomb, encoding, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
