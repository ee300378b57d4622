"""Receives request bodies of bounded size, and decodes compressed ones."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from services.model_server.errors import invalid_argument
from services.serving_api.content_encoding import (
    DECODERS,
    ContentEncodingError,
    ContentTooLargeError,
    decompress,
)


class BodyTooLargeError(ValueError):
    """A body is over the limit; the message says what the client can do."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            f"received a body of more than {max_bytes} bytes, before or after decompression: send "
            "fewer instances in one request, or raise --rest_api_max_body_bytes"
        )


async def receive_body(receive: Receive, headers: Headers, max_bytes: int) -> bytes:
    """Returns the body of a request as it was sent.

    Raises:
        BodyTooLargeError: it is, or by its Content-Length will be, larger than `max_bytes`.
        ClientDisconnect: the client has hung up.
    """
    if int(headers.get("content-length", 0)) > max_bytes:
        raise BodyTooLargeError(max_bytes)
    chunks: list[bytes] = []
    size, is_complete = 0, False
    while not is_complete:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message["body"])
        size += len(chunks[-1])
        if size > max_bytes:
            raise BodyTooLargeError(max_bytes)
        is_complete = not message["more_body"]
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def decode_body(body: bytes, headers: Headers, max_bytes: int) -> bytes:
    """Returns a body without its Content-Encoding.

    Raises:
        ServingError: INVALID_ARGUMENT, the encoding is unknown or the body is not in it.
        BodyTooLargeError: it expands to more than `max_bytes`.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in DECODERS:
        raise invalid_argument(
            f"received Content-Encoding: {encoding!r}, expected gzip, deflate, or none at all"
        )
    try:
        return decompress(body, encoding, max_bytes)
    except ContentEncodingError as error:
        raise invalid_argument(str(error)) from None
    except ContentTooLargeError:
        raise BodyTooLargeError(max_bytes) from None
