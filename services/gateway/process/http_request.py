"""A request as the WSGI environ describes it. Its head is parsed by llhttp, the parser of Node.js.

Source: https://www.rfc-editor.org/rfc/rfc9112 and https://peps.python.org/pep-3333/
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

import httptools

from services.gateway.process.errors import RequestRefused

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_MAX_URL_BYTES = 4094
_MAX_HEADERS = 100
_MAX_HEADER_BYTES = 8190
_VERSIONS = {"1.0", "1.1"}
_UNPREFIXED = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class HttpRequest:
    """A request.

    Attributes:
        method: its method.
        path: its path, percent-encoded.
        version: `1.0` or `1.1`.
        keep_alive: whether the connection may stay open after the answer.
        expects_continue: whether the client waits for `100 Continue` before it sends the body.
        length: length of the body in bytes; None if it comes in chunks.
        body: the body, which is empty at first.

    Args:
        head: the request line, the headers, and the empty line after them.

    Raises:
        RequestRefused: the head is malformed, or too large.
    """

    def __init__(self, head: bytes) -> None:
        self.body = b""
        self._url = b""
        self._headers: dict[str, str] = {}
        self._header_count = 0
        self._largest_header = 0
        self._is_complete = False
        parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            pass  # Every request is answered as HTTP/1.
        except httptools.HttpParserError as error:
            status = 413 if "Content-Length overflow" in str(error) else 400
            raise RequestRefused(status, f"the request is malformed: {error}") from error
        self.method = parser.get_method().decode()
        self.version = parser.get_http_version()
        self._check_head()
        url = self._url.decode("latin-1")
        if url.startswith("/"):
            self.path, _, self._query = url.partition("#")[0].partition("?")
        else:
            self.path, self._query = urlsplit(url)[2:4]
        self.length = self._body_length()
        self.expects_continue = self._reads_expectation()
        connection = self._headers.get("HTTP_CONNECTION", "").lower()
        self.keep_alive = (
            "close" not in connection if self.version == "1.1" else "keep-alive" in connection
        )

    def on_url(self, url: bytes) -> None:
        """Called by httptools."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools for each header; joins repeated ones."""
        self._header_count += 1
        self._largest_header = max(self._largest_header, len(name) + len(value))
        if b"_" in name:
            return  # In the environ it would pass for a header with a hyphen.
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in _UNPREFIXED:
            key = f"HTTP_{key}"
        text = value.decode("latin-1").rstrip(" \t")
        self._headers[key] = f"{self._headers[key]},{text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """Called by httptools."""
        self._is_complete = True

    def environ(self) -> WSGIEnvironment:
        """Returns the entries of a WSGI environ that describe the request."""
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path).decode("latin-1"),
            "QUERY_STRING": self._query,
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "wsgi.input": BytesIO(self.body),
            "wsgi.input_terminated": True,
            **self._headers,
        }

    def _check_head(self) -> None:
        if len(self._url) > _MAX_URL_BYTES:
            raise RequestRefused(414, f"the URL has more than {_MAX_URL_BYTES} bytes")
        if self._header_count > _MAX_HEADERS or self._largest_header > _MAX_HEADER_BYTES:
            raise RequestRefused(
                431,
                f"received {self._header_count} headers of at most {self._largest_header} bytes, "
                f"expected {_MAX_HEADERS} of {_MAX_HEADER_BYTES}",
            )
        if not self._is_complete or self.version not in _VERSIONS:
            raise RequestRefused(400, "the request is malformed, expected HTTP/1.1")

    def _body_length(self) -> int | None:
        coding = self._headers.get("HTTP_TRANSFER_ENCODING")
        if coding is None:
            return int(self._headers.get("CONTENT_LENGTH", 0))
        if self.version == "1.0":
            raise RequestRefused(400, "received Transfer-Encoding in HTTP/1.0: send HTTP/1.1")
        if coding.lower() != "chunked":
            raise RequestRefused(501, f"received Transfer-Encoding: {coding}, expected chunked")
        return None

    def _reads_expectation(self) -> bool:
        expected = self._headers.get("HTTP_EXPECT")
        if expected is None:
            return False
        if expected.lower() != "100-continue":
            raise RequestRefused(417, f"received Expect: {expected}, expected 100-continue")
        return self.version == "1.1"
