"""What the gateway takes beside JSON: forms, code containers, compressed bodies, raw tensors."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.hostile.engine import Case
from tests.hostile.inputs import (
    CONTAINERS,
    MEGABYTE,
    container,
    gzip_bomb,
    multipart,
    part,
    png,
)
from tests.hostile.requests import Http
from tests.hostile.surfaces import JSON_TYPE, file, form, url_encoded

REFUSED = frozenset({400, 413, 415})
ANSWERED = frozenset({200, *REFUSED})
LIMIT = 16 * MEGABYTE

PREDICT = form("/v1/models/cnn:predict")
GENERATE = url_encoded("/v1/models/vae:generate")
VISUALIZE = form("/v1/models/cnn:visualize")
DECOMPRESS = file("/v1/models/codec:decompress", "application/vnd.lectern.code")
PICTURE = file("/v1/models/cnn:predict", "image/png")


def one(
    name: str, make: Callable[[], Http], statuses: frozenset = REFUSED, **bounds: float
) -> Case:
    return Case(name, lambda: [make()], statuses, **bounds)


def bomb(service: str, path: str, size: int, encoding: str = "gzip") -> Http:
    """Return a request of a few kilobytes that decodes to so many bytes.

    What a server has to hold of it is the limit of its bodies.
    """
    headers = {**JSON_TYPE, "Content-Encoding": encoding}
    return Http(service, path, gzip_bomb(size), headers, decoded=LIMIT)


def raw_tensor(
    shape: list[int], size: int, raw: bytes, length: int | str | None = None, **more
) -> Http:
    """Return a request of the Open Inference Protocol whose tensor stands behind its JSON."""
    tensor = {
        "name": "images",
        "datatype": "FP32",
        "shape": shape,
        "parameters": {"binary_data_size": size},
        **more,
    }
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head) if length is None else length)}
    return Http("gateway", "/v2/models/cnn/infer", head + raw, headers)


RAW_TENSORS = {
    "no bytes for a shape": ([1, 28, 28, 1], 0, b""),
    "a shape of nothing": ([0, 28, 28, 1], 0, b""),
    "the largest shape of nothing": ([0, 2**31 - 1, 2**31 - 1, 2**31 - 1], 0, b""),
    "the largest shape": ([2**31 - 1] * 4, 16, bytes(16)),
    "33 dimensions": ([1] * 33, 4, bytes(4)),
    "a dimension below 0": ([-1, 28, 28, 1], 4, bytes(4)),
    "a dimension of 65 bits": ([2**64], 4, bytes(4)),
    "a size beyond the end": ([1, 28, 28, 1], 2**62, bytes(4)),
    "a size of 65 bits": ([1, 28, 28, 1], 2**64, bytes(4)),
    "a size below 0": ([1, 28, 28, 1], -1, bytes(4)),
    "bytes that no tensor claims": ([1, 28, 28, 1], 3136, bytes(4000)),
    "a length beyond the end": ([1, 28, 28, 1], 3136, bytes(3136), 10**9),
    "a length within the JSON": ([1, 28, 28, 1], 3136, bytes(3136), 10),
    "a length of nothing": ([1, 28, 28, 1], 3136, bytes(3136), 0),
    "a length below 0": ([1, 28, 28, 1], 3136, bytes(3136), -1),
    "a length of 5,000 digits": ([1, 28, 28, 1], 3136, bytes(3136), "9" * 5000),
    "a length that is no number": ([1, 28, 28, 1], 3136, bytes(3136), "\u00b2"),
}

QUERIES = (
    "top=" + "9" * 5000,
    "top=-1",
    "top=NaN",
    "top=1e9",
    "top=%00",
    "top=%ff%fe",
    "top=%ED%A0%80",
    "top=1&top=2",
    "top",
    "=",
    "&" * 4000,
    "a=1&" * 1000,
    "invert=maybe",
    "%" * 1000,
    "top[]=1&top[a]=2",
)

CASES = [
    # Forms.
    one("12 MB of one percent-encoded field", lambda: GENERATE(b"count=" + b"%41" * 4 * MEGABYTE), clients=2),
    one("1,300,000 fields", lambda: GENERATE(b"count=1&" * 1_300_000)),
    one("5,000,000 fields without a name", lambda: GENERATE(b"=&&" * 5_000_000)),
    one("12 MB of semicolons", lambda: GENERATE(b";" * 12 * MEGABYTE)),
    one("a field that is no text", lambda: GENERATE(b"seed=%ff%fe&\xff=1")),
    one("a count of 5,000 digits", lambda: GENERATE(b"count=" + b"9" * 5000)),
    one("100,000 empty files", lambda: PREDICT(multipart(*[part()] * 100_000))),
    one("100,000 fields of a form", lambda: VISUALIZE(multipart(*[part("seed", b"1", None)] * 100_000))),
    one("a field of 15 MB", lambda: VISUALIZE(multipart(part("seed", b"1" * 15 * MEGABYTE, None)))),
    one("a file's name of 1 MB", lambda: PREDICT(multipart(part(filename="a" * MEGABYTE)))),
    one("a header of 1 MB in a part", lambda: PREDICT(multipart(part(more=b"X-A: " + b"a" * MEGABYTE + b"\r\n")))),
    one("100,000 headers in a part", lambda: PREDICT(multipart(part(more=b"X-A: a\r\n" * 100_000)))),
    one("a form without an end", lambda: PREDICT(part(content=png())), ANSWERED),
    one("a form of nothing", lambda: PREDICT(b"")),
    one("a form that is none", lambda: PREDICT(b"\x00" * MEGABYTE)),
    one("1,000,000 boundaries", lambda: PREDICT(b"--b\r\n" * 1_000_000)),
    one("15 MB of line ends", lambda: PREDICT(b"\r\n" * 7_500_000)),
    one("15 MB of dashes", lambda: PREDICT(b"-" * 15 * MEGABYTE)),
    one("15 MB of half boundaries", lambda: PREDICT(part() + b"\r\n--" * 3_500_000)),
    one("64 pictures at once", lambda: PREDICT(multipart(*[part(content=png())] * 64)), ANSWERED),
    # Code containers.
    Case("forged containers", lambda: [DECOMPRESS(content) for content in CONTAINERS.values()], frozenset({400, 404, 413})),
    one("a container of 15 MB", lambda: DECOMPRESS(container(count=480_000, codes=bytes(480_000 * 32)))),
    one("5,000 containers", lambda: form("/v1/models/codec:decompress")(multipart(*[part(content=container())] * 5_000))),
    # Raw tensors.
    Case("forged raw tensors", lambda: [raw_tensor(*arguments) for arguments in RAW_TENSORS.values()], ANSWERED),
    one("15 MB of strings of nothing", lambda: raw_tensor([3_900_000], 15_600_000, bytes(15_600_000), name="image_bytes", datatype="BYTES")),
    # Queries.
    Case("odd queries", lambda: [Http("gateway", f"/v1/models/cnn:predict?{query}", png(), {"Content-Type": "image/png"}) for query in QUERIES], ANSWERED | {414, 431}),
    # Compressed bodies.
    one("gateway: gzip of 512 MB", lambda: bomb("gateway", "/v1/models/cnn:predict", 512 * MEGABYTE), clients=2),
    one("v2: gzip of 512 MB", lambda: bomb("gateway", "/v2/models/cnn/infer", 512 * MEGABYTE)),
    one("REST: gzip of 512 MB", lambda: bomb("rest", "/v1/models/cnn:predict", 512 * MEGABYTE), seconds=8),
    one("REST: x-gzip", lambda: bomb("rest", "/v1/models/cnn:predict", MEGABYTE, "x-gzip")),
    one("gateway: deflate", lambda: bomb("gateway", "/v1/models/cnn:predict", MEGABYTE, "deflate")),
    one("gateway: gzip twice", lambda: bomb("gateway", "/v1/models/cnn:predict", MEGABYTE, "gzip, gzip")),
    *[
        one(f"{service}: gzip that is none", lambda service=service: Http(service, "/v1/models/cnn:predict", png(), {"Content-Encoding": "gzip"}))
        for service in ("gateway", "rest")
    ],
    *[
        one(f"{service}: gzip that ends early", lambda service=service: Http(service, "/v1/models/cnn:predict", gzip_bomb(MEGABYTE)[:-9], {"Content-Encoding": "gzip"}))
        for service in ("gateway", "rest")
    ],
    *[
        one(f"{service}: 200,000 members of gzip", lambda service=service: Http(service, "/v1/models/cnn:predict", gzip_bomb(0) * 200_000, {"Content-Encoding": "gzip"}))
        for service in ("gateway", "rest")
    ],
]  # fmt: skip
