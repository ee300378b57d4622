from __future__ import annotations

import pytest

from services.gateway.process.http_request import HttpRequest
from services.gateway.process.wsgi import Response, run_application


def request(method: str = "GET", version: str = "1.1") -> HttpRequest:
    return HttpRequest(f"{method} / HTTP/{version}\r\n\r\n".encode())


def head_and_body(response: Response, to: HttpRequest, keep_alive: bool = True) -> tuple[str, str]:
    head, _, body = b"".join(response.to_bytes(to, keep_alive)).decode().partition("\r\n\r\n")
    return head, body


def test_the_response_has_its_length_and_says_whether_the_connection_stays_open():
    response = Response("200 OK", [("A", "b")], [b"he", b"llo"])
    head, body = head_and_body(response, request())
    lines = head.split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    assert {"A: b", "Content-Length: 5", "Connection: keep-alive"} < set(lines)
    assert any(line.startswith("Date: ") and line.endswith(" GMT") for line in lines)
    assert body == "hello"
    head, _ = head_and_body(response, request(version="1.0"), keep_alive=False)
    assert head.startswith("HTTP/1.0 200 OK\r\n")
    assert "Connection: close" in head


def test_the_length_that_the_application_says_is_kept():
    head, _ = head_and_body(Response("200 OK", [("content-length", "5")], [b"hello"]), request())
    assert head.lower().count("content-length") == 1


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")],
)
def test_a_response_without_a_body_has_none(method, status):
    head, body = head_and_body(
        Response(status, [("Content-Length", "5")], [b"hello"]), request(method)
    )
    assert head.startswith(f"HTTP/1.1 {status}\r\n")
    assert body == ""


def test_the_last_start_counts_and_the_body_is_closed():
    closed = []

    class Body:
        def __iter__(self):
            yield b"b"

        def close(self):
            closed.append(True)

    def application(environ, start_response):
        start_response("200 OK", [])
        write = start_response("500 Internal Server Error", [("A", environ["a"])], None)
        write(b"a")
        return Body()

    response = run_application(application, {"a": "c"})
    assert response == ("500 Internal Server Error", [("A", "c")], [b"a", b"b"])
    assert closed == [True]
