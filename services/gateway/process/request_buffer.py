"""Incremental HTTP/1.1 request buffer: collects received bytes until a request is complete.

Malformed requests are refused as soon as they are recognized.

Source: https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import re
from collections.abc import Generator

from services.gateway.process.errors import RequestRefused
from services.gateway.process.http_request import HttpRequest

MAX_HEAD_BYTES = 2**16

_END_OF_LINE = b"\r\n"
_END_OF_HEAD = b"\r\n\r\n"
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]{0,8}(?:;[\t\x20-\x7e\x80-\xff]{0,900})?\r\n")
_MAX_CHUNK_LINE_BYTES = 1024
_MAX_TRAILER_BYTES = 8192
_BODILESS_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class RequestBuffer:
    """Splits the bytes received on one connection into requests.

    Attributes:
        expects_continue: whether the client waits for `100 Continue` before it sends the body.

    Args:
        max_body_bytes: the largest body.
    """

    def __init__(self, max_body_bytes: int) -> None:
        self.expects_continue = False
        self._max_body_bytes = max_body_bytes
        self._received = bytearray()
        self._content = bytearray()
        self._requests = self._read_requests()

    def append(self, data: bytes | memoryview) -> None:
        """Adds received bytes."""
        self._received += data

    @property
    def size(self) -> int:
        """Bytes held for incomplete requests."""
        return len(self._received) + len(self._content)

    def clear(self) -> None:
        """Discards everything, after a request was refused."""
        self._received.clear()
        self._content.clear()

    def next_request(self) -> HttpRequest | None:
        """Returns the next request with its whole body, or None while it is incomplete.

        Raises:
            RequestRefused: it is malformed or too large; the connection cannot be used any more.
        """
        return next(self._requests)

    def _read_requests(self) -> Generator[HttpRequest | None]:
        while True:
            request = HttpRequest((yield from self._read_head()))
            body = self._read_body(request)
            if request.method in _BODILESS_METHODS:
                # No route reads the body of these methods, so the answer does not wait for it.
                content = _result_without_waiting(body)
                if content is None:
                    request.keep_alive = False
            else:
                content = yield from body
            request.body = content or b""
            self.expects_continue = False
            yield request

    def _read_head(self) -> Generator[None, None, bytes]:
        searched = 0
        while (end := self._received.find(_END_OF_HEAD, searched, MAX_HEAD_BYTES)) < 0:
            self._check_unfinished(MAX_HEAD_BYTES, "the head")
            searched = max(len(self._received) - len(_END_OF_HEAD) + 1, 0)
            yield
        return self._take(end + len(_END_OF_HEAD))

    def _read_body(self, request: HttpRequest) -> Generator[None, None, bytes]:
        size = request.length
        if size is None:
            self.expects_continue = request.expects_continue
            return (yield from self._read_chunks())
        self._check_size(size)
        self.expects_continue = request.expects_continue and size > 0
        while len(self._received) < size:
            yield
        return self._take(size)

    def _read_chunks(self) -> Generator[None, None, bytes]:
        while not self._decode_chunks():
            yield
        while not self._skip_trailers():
            yield
        content = bytes(self._content)
        self._content.clear()
        return content

    def _decode_chunks(self) -> bool:
        """Decodes all complete chunks; returns whether the last chunk was among them."""
        received, content = self._received, self._content
        position = 0
        try:
            # One loop without generators, since a body may consist of very many chunks.
            while line := _CHUNK_LINE.match(received, position):
                start, size = line.end(), int(line[1], 16)
                if not size:
                    position = start
                    return True
                self._check_size(len(content) + size)
                end = start + size
                if len(received) < end + len(_END_OF_LINE):
                    return False
                if received[end : end + len(_END_OF_LINE)] != _END_OF_LINE:
                    raise RequestRefused(400, "a chunk does not end where its size says")
                content += received[start:end]
                position = end + len(_END_OF_LINE)
            rest = received[position : position + _MAX_CHUNK_LINE_BYTES]
            if b"\n" in rest or len(rest) == _MAX_CHUNK_LINE_BYTES:
                raise RequestRefused(
                    400, "received a malformed chunk, expected its size in hexadecimal digits"
                )
            return False
        finally:
            del received[:position]

    def _skip_trailers(self) -> bool:
        """Discards the trailer fields; returns whether they have ended."""
        received = self._received
        if received.startswith(_END_OF_LINE):
            self._take(len(_END_OF_LINE))
            return True
        end = received.find(_END_OF_HEAD, 0, _MAX_TRAILER_BYTES)
        if end < 0:
            self._check_unfinished(_MAX_TRAILER_BYTES, "the trailer section")
            return False
        self._take(end + len(_END_OF_HEAD))
        return True

    def _check_unfinished(self, max_bytes: int, part: str) -> None:
        """Refuses an incomplete head or trailer section that cannot become a valid one."""
        received = self._received
        if len(received) > max_bytes:
            raise RequestRefused(431, f"{part} is too large, expected at most {max_bytes} bytes")
        if received.count(b"\n") != received.count(_END_OF_LINE):
            raise RequestRefused(400, f"received a bare line feed in {part}, expected CRLF")

    def _check_size(self, size: int) -> None:
        if size > self._max_body_bytes:
            raise RequestRefused(
                413, f"the body is too large, expected at most {self._max_body_bytes} bytes"
            )

    def _take(self, size: int) -> bytes:
        with memoryview(self._received) as view:
            taken = bytes(view[:size])
        del self._received[:size]
        return taken


def _result_without_waiting(reading: Generator[None, None, bytes]) -> bytes | None:
    """Returns the result of a generator, or None if it waits for more bytes."""
    try:
        next(reading)
    except StopIteration as done:
        content: bytes = done.value
        return content
    return None
