"""Compressed request bodies: gzip, as in TensorFlow Serving's REST API, and deflate."""

from __future__ import annotations

import io
import sys

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from services.gateway.request.errors import InvalidRequest, UnsupportedMediaType
from services.serving_api.content_encoding import (
    DECODERS,
    ContentEncodingError,
    ContentTooLargeError,
    decompress,
)

_NONE = {"", "identity"}


def decode_content(request: Request) -> None:
    """Replaces a request's compressed body with its content.

    Raises:
        RequestEntityTooLarge: the body is over the limit for bodies, compressed or decompressed.
        InvalidRequest: the body does not have the encoding that Content-Encoding names.
        UnsupportedMediaType: the encoding is neither gzip nor deflate.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding in _NONE:
        return
    if encoding not in DECODERS:
        raise UnsupportedMediaType(
            f"received Content-Encoding: {encoding!r}, expected gzip, deflate, or none at all"
        )
    limit = request.max_content_length or sys.maxsize
    stream = get_input_stream(request.environ, max_content_length=limit)
    try:
        content = decompress(stream.read(), encoding, limit)
    except ContentEncodingError as error:
        raise InvalidRequest(str(error)) from None
    except ContentTooLargeError:
        raise RequestEntityTooLarge from None
    # Replaced in the environ, so that forms and files are parsed as usual.
    request.environ["wsgi.input"] = io.BytesIO(content)
    request.environ["CONTENT_LENGTH"] = str(len(content))
    del request.environ["HTTP_CONTENT_ENCODING"]
