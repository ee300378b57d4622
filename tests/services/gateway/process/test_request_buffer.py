from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.process.errors import RequestRefused
from services.gateway.process.request_buffer import MAX_HEAD_BYTES, RequestBuffer

MAX_BODY = 100_000
POST = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def new_buffer() -> RequestBuffer:
    return RequestBuffer(MAX_BODY)


def requests_in(*parts: bytes) -> list[tuple[str, str, bytes]]:
    """Return method, path and body of the requests in some received parts."""
    buffer = new_buffer()
    found = []
    for part in parts:
        buffer.append(part)
        while request := buffer.next_request():
            found.append((request.method, request.path, request.body))
    return found


def refused(received: bytes) -> RequestRefused:
    buffer = new_buffer()
    buffer.append(received)
    with pytest.raises(RequestRefused) as caught:
        buffer.next_request()
    return caught.value


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])


@st.composite
def requests(draw) -> tuple[bytes, tuple[str, str, bytes]]:
    method = draw(st.sampled_from(["GET", "POST", "PUT"]))
    path = draw(st.sampled_from(["/", "/livez", "/v1/models/m:predict"]))
    chunks = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
    body = b"".join(chunks)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n".encode()
    framing = draw(st.sampled_from(["none", "length", "chunked", "chunked with trailers"]))
    if framing == "none":
        return head + b"\r\n", (method, path, b"")
    if framing == "length":
        return head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body), (method, path, body)
    encoded = chunked(*chunks)
    if framing == "chunked with trailers":
        encoded = encoded[:-2] + b"A: 1\r\nB: 2\r\n\r\n"
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + encoded, (method, path, body)


@given(st.lists(requests(), min_size=1, max_size=4), st.data())
def test_requests_are_the_same_however_they_are_cut(sent, data):
    received = b"".join(raw for raw, _ in sent if not raw.startswith(b"GET"))
    expected = [meaning for raw, meaning in sent if not raw.startswith(b"GET")]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(received)), max_size=20)))
    parts = [received[a:b] for a, b in pairwise([0, *cuts, len(received)])]
    assert requests_in(*parts) == expected
    assert requests_in(*(bytes([byte]) for byte in received)) == expected
    whole = b"".join(raw for raw, _ in sent)
    assert requests_in(whole) == [meaning for _, meaning in sent]


@given(requests())
def test_nothing_is_complete_before_its_last_byte(request_and_meaning):
    raw, (method, _, _) = request_and_meaning
    if method == "GET":
        raw = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert requests_in(raw[:-1]) == []


@given(st.binary(max_size=300), st.sampled_from([b"", POST, CHUNKED]))
def test_any_bytes_are_a_request_refused_or_waited_for(received, start):
    buffer = new_buffer()
    buffer.append(start + received)
    with suppress(RequestRefused):
        buffer.next_request()


@pytest.mark.parametrize(
    ("received", "status"),
    [
        (b"GET / HTTP/1.1\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\n\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 10_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * MAX_HEAD_BYTES, 431),
        (POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: nine\r\n\r\n", 400),
        (POST + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (POST + b"Content-Length: %d\r\n\r\n" % 10**19, 413),
        (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: magic, chunked\r\n\r\n", 501),
        (POST + b"Expect: much\r\n\r\n", 417),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (CHUNKED + b"-1\r\n", 400),
        (CHUNKED + b"0x5\r\nhello\r\n", 400),
        (CHUNKED + b"\r\n", 400),
        (CHUNKED + b"5\nhello\n", 400),
        (CHUNKED + b"5\r\nhello\n0\r\n\r\n", 400),
        (CHUNKED + b"5\r\nhello, you\r\n", 400),
        (CHUNKED + b"1" * 20 + b"\r\n", 400),
        (CHUNKED + b"5;" + b"x" * 100_000, 400),
        (CHUNKED + b"5;a\x00b\r\nhello\r\n", 400),
        (CHUNKED + b"%x\r\n" % (MAX_BODY + 1), 413),
        (CHUNKED + b"f" * 16 + b"\r\n", 413),
        (CHUNKED + chunked(b"x" * MAX_BODY)[:-5] + b"1\r\nx\r\n", 413),
        (CHUNKED + b"0\r\nA: b\n", 400),
        (CHUNKED + b"0\r\n" + b"A: b\r\n" * 5000, 431),
    ],
)
def test_malformed_and_large_requests_are_refused_as_soon_as_that_is_known(received, status):
    refusal = refused(received)
    assert refusal.status == status
    assert refusal.detail


@pytest.mark.parametrize("extension", [b";a", b" ;a=b", b';a="b c"', b";" + b"x" * 500])
def test_chunk_extensions_are_ignored(extension):
    body = b"5%s\r\nhello\r\n0%s\r\n\r\n" % (extension, extension)
    assert requests_in(CHUNKED + body) == [("POST", "/v1/models/m:predict", b"hello")]


def test_the_largest_body_is_received():
    for request in (
        POST + b"Content-Length: %d\r\n\r\n" % MAX_BODY + b"x" * MAX_BODY,
        CHUNKED + chunked(b"x" * MAX_BODY),
        CHUNKED + chunked(*[b"x"] * MAX_BODY),
    ):
        [(_, _, body)] = requests_in(request)
        assert body == b"x" * MAX_BODY


def test_the_size_is_that_of_what_is_incomplete():
    buffer = new_buffer()
    buffer.append(CHUNKED + b"5\r\nhello\r\n5\r\nhel")
    assert buffer.next_request() is None
    assert 10 < buffer.size < 30
    buffer.append(b"lo\r\n0\r\n\r\n")
    assert buffer.next_request()
    assert buffer.size == 0


@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_a_client_that_expects_100_continue_is_told_once(framing):
    buffer = new_buffer()
    buffer.append(POST + framing + b"\r\nExpect: 100-continue\r\n\r\n")
    assert buffer.next_request() is None
    assert buffer.expects_continue
    buffer.append(b"hello" if b"Length" in framing else chunked(b"hello"))
    request = buffer.next_request()
    assert request.body == b"hello"
    assert not buffer.expects_continue


@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_the_body_of_a_get_is_not_waited_for(framing):
    buffer = new_buffer()
    buffer.append(b"GET /livez HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n")
    request = buffer.next_request()
    assert request.path == "/livez"
    assert not request.keep_alive
