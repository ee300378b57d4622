"""Compressed request bodies, which TensorFlow Serving's REST API takes too."""

from __future__ import annotations

import gzip
import io
import zlib

from flask import Flask, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from services.gateway.request.errors import InvalidRequest, UnsupportedMediaType

_GZIP = {"gzip", "x-gzip"}
_NONE = {"", "identity"}


def decode_content(app: Flask) -> None:
    """Let every call of an application read a compressed body as if it had come plain.

    Args:
        app: the application; its limit for bodies holds before and after decompression.
    """
    app.before_request(_decode)


def _decode() -> None:
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding in _NONE:
        return
    if encoding not in _GZIP:
        raise UnsupportedMediaType(
            f"received Content-Encoding: {encoding!r}, expected gzip, or none at all"
        )
    limit: int = current_app.config["MAX_CONTENT_LENGTH"]
    stream = get_input_stream(request.environ, max_content_length=limit)
    content = _gunzip(stream.read(), limit)
    # In place, so that forms and files are parsed from it like any other body.
    request.environ["wsgi.input"] = io.BytesIO(content)
    request.environ["CONTENT_LENGTH"] = str(len(content))
    del request.environ["HTTP_CONTENT_ENCODING"]


def _gunzip(compressed: bytes, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(compressed)) as file:
            content = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidRequest(
            f"received a body of {len(compressed)} bytes that is not gzip, although its "
            f"Content-Encoding says so ({error}): send a complete gzip stream"
        ) from None
    if len(content) > limit:
        raise RequestEntityTooLarge
    return content
