"""Compressed request bodies: gzip, as TensorFlow Serving's REST API takes, and deflate."""

from __future__ import annotations

import gzip
import io
import sys
import zlib

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from services.gateway.request.errors import InvalidRequest, UnsupportedMediaType

_NONE = {"", "identity"}


def decode_content(request: Request) -> None:
    """Lets a request with a compressed body be read as if it were sent plain.

    Raises:
        RequestEntityTooLarge: the body is over the limit for bodies, compressed or decompressed.
        InvalidRequest: the body is not what its Content-Encoding says.
        UnsupportedMediaType: it is compressed in another way.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding in _NONE:
        return
    if encoding not in _DECODERS:
        raise UnsupportedMediaType(
            f"received Content-Encoding: {encoding!r}, expected gzip, deflate, or none at all"
        )
    limit = request.max_content_length or sys.maxsize
    stream = get_input_stream(request.environ, max_content_length=limit)
    content = _decompress(stream.read(), encoding, limit)
    # In place, so that forms and files are parsed from it like any other body.
    request.environ["wsgi.input"] = io.BytesIO(content)
    request.environ["CONTENT_LENGTH"] = str(len(content))
    del request.environ["HTTP_CONTENT_ENCODING"]


def _decompress(compressed: bytes, encoding: str, limit: int) -> bytes:
    try:
        content = _DECODERS[encoding](compressed, limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidRequest(
            f"received a body of {len(compressed)} bytes that is not {encoding}, although its "
            f"Content-Encoding says so ({error}): send a complete {encoding} stream"
        ) from None
    if len(content) > limit:
        raise RequestEntityTooLarge
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


_DECODERS = {"gzip": _gunzip, "x-gzip": _gunzip, "deflate": _inflate}
