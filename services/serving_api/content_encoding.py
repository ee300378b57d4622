"""Decompresses HTTP bodies (gzip and deflate) in limited memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Mapping


class ContentEncodingError(ValueError):
    """A body does not have the encoding in its Content-Encoding header; the message says why."""


class ContentTooLargeError(ValueError):
    """The content of a body is over the limit."""


def decompress(compressed: bytes, encoding: str, max_bytes: int) -> bytes:
    """Returns the content of a compressed body.

    Args:
        compressed: the body.
        encoding: one of `DECODERS`.
        max_bytes: limit for the content; decompression stops there.

    Raises:
        ContentEncodingError: the body does not have that encoding, or ends too early.
        ContentTooLargeError: the content is over the limit.
    """
    try:
        content = DECODERS[encoding](compressed, max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ContentEncodingError(
            f"received a body of {len(compressed)} bytes that is not {encoding}, although its "
            f"Content-Encoding says so ({error}): send a complete {encoding} stream"
        ) from None
    if len(content) > max_bytes:
        raise ContentTooLargeError
    return content


def _gunzip(compressed: bytes, max_bytes: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(compressed)) as file:
        return file.read(max_bytes)


def _inflate(compressed: bytes, max_bytes: int) -> bytes:
    """Decompresses zlib's format, or the raw deflate stream that many clients send instead.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2
    """
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(compressed, max_bytes)
    except zlib.error:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        content = stream.decompress(compressed, max_bytes)
    if not stream.eof and len(content) < max_bytes:
        raise EOFError("it ends too early")
    return content


DECODERS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
}
"""Decoders by their name in Content-Encoding."""
