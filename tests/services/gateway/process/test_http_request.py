from __future__ import annotations

import pytest

from services.gateway.process.http_request import HttpRequest

HEAD = "POST /v1/models/a%20b:predict?top=2#part HTTP/1.1\r\n"


def request(*headers: str, line: str = HEAD) -> HttpRequest:
    return HttpRequest(
        "".join([line, *(f"{header}\r\n" for header in headers), "\r\n"]).encode("latin-1")
    )


def test_the_environ_describes_the_request():
    parsed = request(
        "Host: x:80", "Content-Type: image/png", "Content-Length: 3", "X-Request-Id: 7 "
    )
    parsed.body = b"abc"
    environ = parsed.environ()
    assert environ.pop("wsgi.input").read() == b"abc"
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/v1/models/a b:predict",
        "QUERY_STRING": "top=2",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input_terminated": True,
        "HTTP_HOST": "x:80",
        "CONTENT_TYPE": "image/png",
        "CONTENT_LENGTH": "3",
        "HTTP_X_REQUEST_ID": "7",
    }


def test_repeated_headers_are_joined_and_those_with_an_underscore_are_ignored():
    environ = request("Accept: a", "accept: \xe9", "X_Request_Id: 1", "Script_Name: /x").environ()
    assert environ["HTTP_ACCEPT"] == "a,\xe9"
    assert environ["SCRIPT_NAME"] == ""
    assert "HTTP_X_REQUEST_ID" not in environ


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("/livez", "/livez", ""),
        ("//livez", "//livez", ""),
        ("/%ff", "/\xff", ""),
        ("http://evil.example/livez?a=b", "/livez", "a=b"),
        ("/?a=/%20", "/", "a=/%20"),
    ],
)
def test_a_url_is_split_into_path_and_query(url, path, query):
    environ = request(line=f"GET {url} HTTP/1.1\r\n").environ()
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (path, query)


@pytest.mark.parametrize(
    ("version", "headers", "keep_alive"),
    [
        ("1.1", [], True),
        ("1.1", ["Connection: Close"], False),
        ("1.1", ["Connection: Upgrade, close", "Upgrade: h2c"], False),
        ("1.0", [], False),
        ("1.0", ["Connection: keep-alive"], True),
    ],
)
def test_a_client_says_whether_the_connection_stays_open(version, headers, keep_alive):
    assert request(*headers, line=f"GET / HTTP/{version}\r\n").keep_alive is keep_alive


@pytest.mark.parametrize(
    ("headers", "length"),
    [([], 0), (["Content-Length: 12"], 12), (["Transfer-Encoding: Chunked"], None)],
)
def test_the_length_of_the_body_is_known_or_it_comes_in_chunks(headers, length):
    assert request(*headers).length == length
