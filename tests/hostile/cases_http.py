"""HTTP itself: malformed chunks, heads, methods, paths, and other protocols on its port."""

from __future__ import annotations

import struct

from tests.hostile.engine import Case
from tests.hostile.inputs import MEGABYTE, png
from tests.hostile.requests import CLOSED, Http, Raw

PATH = "/v1/models/cnn:predict"
SERVICES = ("gateway", "rest")
REFUSED = frozenset({400, 404, 405, 408, 411, 413, 414, 415, 416, 417, 421, 431, 501, 505, CLOSED})
ANSWERED = frozenset({200, 204, 206, *REFUSED})

BODY = b'{"instances":[[1]]}'
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n".encode()
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def chunk(content: bytes = BODY, size: bytes | None = None, extension: bytes = b"") -> bytes:
    length = b"%x" % len(content) if size is None else size
    return length + extension + b"\r\n" + content + b"\r\n"


END = b"0\r\n\r\n"
CHUNKS: dict[str, bytes] = {
    "a size below 0": CHUNKED + chunk(size=b"-1") + END,
    "a size of 20 digits": CHUNKED + chunk(size=b"9" * 20) + END,
    "a size of 100,000 digits": CHUNKED + chunk(size=b"0" * 100_000 + b"13") + END,
    "a size that is none": CHUNKED + chunk(size=b"zz") + END,
    "no size": CHUNKED + chunk(size=b"") + END,
    "a size with a sign": CHUNKED + chunk(size=b"+13") + END,
    "a size in another notation": CHUNKED + chunk(size=b"0x13") + END,
    "a size with an underscore": CHUNKED + chunk(size=b"1_3") + END,
    "a size before a blank": CHUNKED + chunk(size=b"13 ") + END,
    "a size that is too small": CHUNKED + chunk(size=b"2") + END,
    "an extension": CHUNKED + chunk(extension=b";a=b") + END,
    "an extension of 100 KB": CHUNKED + chunk(extension=b";" + b"a" * 100_000) + END,
    "an extension with a bare line end": CHUNKED + chunk(extension=b";a\nb") + END,
    "bare line ends": CHUNKED + b"13\n" + BODY + b"\n0\n\n",
    "trailers": CHUNKED + chunk() + b"0\r\nX-A: b\r\n\r\n",
    "trailers of 1 MB": CHUNKED + chunk() + b"0\r\nX-A: " + b"a" * MEGABYTE + b"\r\n\r\n",
    "100,000 trailers": CHUNKED + chunk() + b"0\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\n",
    "a trailer that is none": CHUNKED + chunk() + b"0\r\nabc\r\n\r\n",
    "100,000 chunks of a byte": CHUNKED + chunk(b" ") * 100_000 + END,
    "a length beside chunks": HEAD
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    + chunk()
    + END,
    "chunks twice": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + chunk() + END,
    "chunks and then nothing": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n" + chunk(),
    "an unknown coding": HEAD + b"Transfer-Encoding: gzip\r\n\r\n" + chunk() + END,
    "chunks under HTTP 1.0": CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + chunk() + END,
}

LENGTHS: dict[str, bytes] = {
    what: HEAD + b"Content-Length: " + value + b"\r\n\r\n" + BODY
    for what, value in {
        "below 0": b"-1",
        "of a sign": b"+19",
        "of 5,000 digits": b"9" * 5000,
        "that is none": b"a",
        "of two numbers": b"19, 19",
        "in another notation": b"0x13",
        "with an underscore": b"1_9",
        "of an exponent": "²".encode("latin-1"),
    }.items()
} | {
    "twice": HEAD + b"Content-Length: 19\r\nContent-Length: 3\r\n\r\n" + BODY,
    "without one": HEAD + b"\r\n" + BODY,
}

HEADS: dict[str, bytes] = {
    "no HTTP": b"hello\r\n\r\n",
    "HTTP 3": b"GET /livez HTTP/3.0\r\n\r\n",
    "HTTP of 5,000 digits": b"GET /livez HTTP/1." + b"9" * 5000 + b"\r\n\r\n",
    "a path of 1 MB": b"GET /" + b"a" * MEGABYTE + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method of 1 MB": b"A" * MEGABYTE + b" / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header of 1 MB": HEAD + b"X-A: " + b"a" * MEGABYTE + b"\r\n\r\n",
    "100,000 headers": HEAD + b"X-A: b\r\n" * 100_000 + b"\r\n",
    "200 headers": HEAD + b"X-A: b\r\n" * 200 + b"Content-Length: 19\r\n\r\n" + BODY,
    "a header that goes on": HEAD + b"X-A: b\r\n c\r\nContent-Length: 19\r\n\r\n" + BODY,
    "a header without a name": HEAD + b": b\r\n\r\n",
    "a name with a blank": HEAD + b"Content-Length : 19\r\n\r\n" + BODY,
    "a name that is no text": HEAD + b"\xff\xfe: b\r\n\r\n",
    "a zero byte in a header": HEAD + b"X-A: \x00\r\n\r\n",
    "a bare return in a header": HEAD + b"X-A: a\rb\r\n\r\n",
    "two hosts": HEAD + b"Host: b\r\nContent-Length: 19\r\n\r\n" + BODY,
    "no host": b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n",
    "a script name": b"GET /livez HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /x\r\nConnection: close\r\n\r\n",
    "a script name with a hyphen": b"GET /livez HTTP/1.1\r\nHost: a\r\nSCRIPT-NAME: /x\r\nConnection: close\r\n\r\n",
    "an expectation": HEAD + b"Expect: 200-maybe\r\nContent-Length: 19\r\n\r\n" + BODY,
    "an upgrade": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    "a websocket": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "a proxy's words": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "a whole address": b"GET http://evil.example/livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "1,000 requests in a row": b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * 1000,
    "a second request that is none": b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\nno HTTP\r\n\r\n",
}  # fmt: skip

OPEN_HEADS: dict[str, bytes] = {
    "zero bytes for chunks": CHUNKED + bytes(100),
    "nothing": b"\r\n\r\n",
    "a body of 2^63": HEAD + b"Content-Length: 9223372036854775808\r\n\r\n" + BODY,
    "HTTP 0.9": b"GET /livez\r\n",
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    "a hello of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600) + b"\r\n\r\n",
    "zero bytes": bytes(5000) + b"\r\n\r\n",
    "a letter of 1 MB": b"a" * MEGABYTE,
    "a header without an end": HEAD + b"X-A: b",
}  # fmt: skip
"""Of which no end comes."""

PATHS = (
    "/",
    "//",
    "/%00",
    "/%ff",
    "/..%2f..%2fetc/passwd",
    "/../../../../etc/passwd",
    "/studio/../../settings.py",
    "/static/../app.py",
    "/docs/../../../etc/passwd",
    "/docs",
    "/openapi.json",
    "/v1/models/" + "a" * 4000,
    "/v1/models/%00:predict",
    "/v1/models/..%2f..%2f:predict",
    "/v1/models/../../etc/passwd/card",
    "/v1/models/..%2f..%2fREADME.md/card",
    "/v1/models/%ED%A0%80",
    "/v1/models/%FF%FE/metadata",
    "/v1/models/cnn/versions/" + "9" * 5000,
    "/v1/models/cnn/versions/" + "9" * 5000 + ":predict",
    "/v1/models/cnn/versions/-1",
    "/v1/models/cnn/versions/9223372036854775808",
    "/v1/models/cnn/versions/%D9%A1",
    "/v1/models/cnn/versions/1e3",
    "/v1/models/cnn/labels/" + "a" * 4000,
    "/v1/models/cnn/labels/%00",
    "/v1/models/cnn/labels/%ED%A0%80:predict",
    "/v1/models/cnn:" + "a" * 4000,
    "/v1/models/cnn:predict:predict",
    "/v1/models/cnn/versions/1/versions/1",
    "/v1/models",
    "/v2/models/cnn/versions/" + "9" * 5000,
    "/v2/models/%00/infer",
    "/v2/health/ready/",
    "/metrics?name[]=" + "a" * 3000,
    "/monitoring/prometheus/metrics",
    "/v1/" + "models/" * 500,
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "FOO")

ODD_HEADERS = (
    {"Grpc-Timeout": "9" * 5000 + "S"},
    {"Grpc-Timeout": "-1S"},
    {"Grpc-Timeout": "\xb2S"},
    {"X-Request-Id": "a" * 7000},
    {"X-Request-Id": "\xff\xfe"},
    {"traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-00"},
    {"traceparent": "\xff" * 55},
    {"tracestate": "a=b," * 1500},
    {"Accept": "*/*;q=" + "9" * 5000},
    {"Accept": "a/b," * 1500},
    {"Accept": ";;;,,,q=\xff"},
    {"Accept-Encoding": "gzip;q=" + "9" * 5000},
    {"Accept-Encoding": "gzip," * 1500},
    {"Content-Type": "application/json; charset=" + "a" * 5000},
    {"Content-Type": "application/json; charset=utf-7"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "multipart/form-data; boundary="},
    {"Content-Type": "multipart/form-data; boundary=" + "a" * 5000},
    {"Content-Type": "multipart/form-data; boundary=\xff"},
    {"Content-Type": "/" * 5000},
    {"Content-Type": '="' * 2500},
    {"Authorization": "Bearer " + "a" * 7000},
    {"Authorization": "Basic \xff"},
    {"X-API-Key": "\xff"},
    {"Cookie": "a=b; " * 1500},
    {"Range": "bytes=" + "0-1," * 1500},
    {"If-None-Match": '"' * 5000},
    {"If-Modified-Since": "9" * 5000},
    {"X-Forwarded-For": "1," * 3000},
    {"X-Forwarded-Prefix": "/../.."},
    {"Forwarded": "for=\xff"},
    {"Origin": "null"},
    {"Origin": "a" * 5000, "Access-Control-Request-Method": "POST"},
)


def raw(service: str, name: str, contents: dict[str, bytes], ends: bool = False) -> Case:
    return Case(
        f"{service}: {name}",
        lambda: [Raw(service, content, ends) for content in contents.values()],
        ANSWERED,
        seconds=6,
    )


def on(service: str) -> list[Case]:
    return [
        raw(service, "chunks", CHUNKS),
        raw(service, "lengths", LENGTHS),
        raw(service, "heads", HEADS),
        raw(service, "open heads", OPEN_HEADS, ends=True),
        Case(
            f"{service}: paths and methods",
            lambda: [Http(service, path, method=method) for path in PATHS for method in METHODS],
            ANSWERED,
            # What all models say of themselves is read once, and kept.
            megabytes=160,
            seconds=8,
        ),
        Case(
            f"{service}: headers",
            lambda: [
                Http(service, path, png(), {"Content-Type": "image/png", **headers}, method)
                for headers in ODD_HEADERS
                for path, method in ((PATH, "POST"), ("/", "GET"), ("/docs", "GET"))
            ],
            ANSWERED,
            seconds=6,
        ),
    ]


_FRAMES = {
    "no HTTP/2": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "zero bytes": bytes(5000),
    "a frame of 16 MB": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + bytes(1000),
    "10,000 settings": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + (bytes(3) + b"\x04\x00" + bytes(4)) * 10_000,
    "10,000 resets": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04\x00" + bytes(4) + b"".join(
        b"\x00\x00\x04\x03\x00" + struct.pack(">I", 2 * stream + 1) + bytes(4) for stream in range(10_000)
    ),
    "a hello of TLS": OPEN_HEADS["a hello of TLS"],
}  # fmt: skip

CASES = [
    Case(
        "gateway: a deadline of nothing",
        lambda: [Http("gateway", PATH, png(), {"Content-Type": "image/png", "Grpc-Timeout": "0n"})],
        frozenset({504}),
    ),
    *on("gateway"),
    *on("rest"),
    Case(
        "gRPC: other protocols",
        lambda: [Raw("grpc", content, ends=True) for content in _FRAMES.values()],
        frozenset({CLOSED}),
    ),
]
