"""Decodes compressed HTTP bodies, gzip and deflate, in bounded memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Mapping


class ContentEncodingError(ValueError):
    """A body is not what its Content-Encoding says; the message says why."""


class ContentTooLargeError(ValueError):
    """A body is larger than the limit once it is decompressed."""


def decompress(compressed: bytes, encoding: str, max_bytes: int) -> bytes:
    """Returns the content of a compressed body.

    Args:
        compressed: the body.
        encoding: one of `DECODERS`.
        max_bytes: decoding stops there, whatever the body would expand to.

    Raises:
        ContentEncodingError: the body is not in that encoding, or ends too early.
        ContentTooLargeError: the content is larger.
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
    """Decodes zlib's format, or the bare stream that many clients send as deflate.

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
"""The encodings by their name in Content-Encoding."""
