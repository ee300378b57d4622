"""The limits of bodies, and their encodings."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message

from services.model_server.errors import ServingError
from services.model_server.rest_api.body import BodyTooLargeError, decode_body, receive_body


def received(*chunks: bytes | None, max_bytes: int = 10, **headers: str) -> bytes:
    """Receive these chunks, of which None is a client that hangs up."""
    messages = iter(chunks)
    left = len(chunks)

    async def receive() -> Message:
        nonlocal left
        left -= 1
        body = next(messages)
        if body is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": left > 0}

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(receive_body(receive, Headers(named), max_bytes))


def test_chunks_are_joined() -> None:
    assert received(b"") == b""
    assert received(b"0123456789") == b"0123456789"
    assert received(b"01234", b"", b"56789") == b"0123456789"


def test_a_body_over_the_limit_is_refused_by_its_length_alone() -> None:
    with pytest.raises(BodyTooLargeError, match="more than 10 bytes"):
        received(content_length="11")


def test_chunks_over_the_limit_are_refused_before_the_rest_has_come() -> None:
    with pytest.raises(BodyTooLargeError, match="raise --rest_api_max_body_bytes"):
        received(b"01234567890", b"never received")


def test_a_client_that_hangs_up_is_told_apart() -> None:
    with pytest.raises(ClientDisconnect):
        received(b"01234", None)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", b"content"),
        ("identity", b"content"),
        ("gzip", gzip.compress(b"content")),
        ("GZIP", gzip.compress(b"content")),
        ("deflate", zlib.compress(b"content")),
    ],
)
def test_encodings(encoding: str, body: bytes) -> None:
    headers = Headers({"content-encoding": encoding})
    assert decode_body(body, headers, 100) == b"content"


@pytest.mark.parametrize(
    ("encoding", "message"),
    [("gzip", "not gzip, although its Content-Encoding says so"), ("br", "received Content-Enc")],
)
def test_a_body_of_another_encoding_is_refused(encoding: str, message: str) -> None:
    with pytest.raises(ServingError, match=message):
        decode_body(b"content", Headers({"content-encoding": encoding}), 100)


def test_a_body_that_expands_over_the_limit_is_refused() -> None:
    body = gzip.compress(bytes(101))
    with pytest.raises(BodyTooLargeError):
        decode_body(body, Headers({"content-encoding": "gzip"}), 100)
