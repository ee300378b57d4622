from __future__ import annotations

import gzip
import io
import json
import tracemalloc
import zlib

import pytest

from tests.services.gateway.images import PNG
from tests.services.gateway.problems import assert_problem

HALF = "/v1/models/half_plus_two:predict"
BODY = json.dumps({"instances": [2.0]}).encode()


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_a_compressed_body_is_read_as_if_it_had_come_plain(client, encoding):
    headers = {"Content-Encoding": encoding}
    answer = client.post(HALF, data=gzip.compress(BODY), headers=headers)
    assert answer.json == {"predictions": [3.0]}


def bare_deflate(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(content) + stream.flush()


@pytest.mark.parametrize("compress", [zlib.compress, bare_deflate])
def test_deflate_is_read_with_and_without_its_zlib_header(client, compress):
    headers = {"Content-Encoding": "deflate"}
    answer = client.post(HALF, data=compress(BODY), headers=headers)
    assert answer.json == {"predictions": [3.0]}
    cut = client.post(HALF, data=compress(BODY)[:-5], headers=headers)
    assert_problem(cut, 400, "not deflate", "Content-Encoding")


def test_an_invalid_deflate_body_is_explained(client):
    answer = client.post(HALF, data=BODY, headers={"Content-Encoding": "deflate"})
    assert_problem(answer, 400, f"{len(BODY)} bytes", "not deflate", "complete deflate stream")


def test_identity_means_that_nothing_was_done(client):
    answer = client.post(HALF, data=BODY, headers={"Content-Encoding": "identity"})
    assert answer.json == {"predictions": [3.0]}


def test_a_compressed_form_is_a_form(client, app):
    form = app.test_request_context(
        method="POST", data={"image": (io.BytesIO(PNG), "a.png")}
    ).request
    answer = client.post(
        "/v1/models/classifier:predict",
        data=gzip.compress(form.get_data()),
        headers={"Content-Encoding": "gzip", "Content-Type": form.headers["Content-Type"]},
    )
    assert answer.json["predictions"][0]["file"] == "a.png"


@pytest.mark.parametrize("content", [BODY, b"", gzip.compress(BODY)[:-4], b"\x1f\x8b" + BODY])
def test_an_invalid_gzip_body_is_explained(client, content):
    answer = client.post(HALF, data=content, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    if content:
        assert_problem(answer, 400, "not gzip", "Content-Encoding")


def test_another_encoding_names_the_one_that_is_known(client):
    answer = client.post(HALF, data=BODY, headers={"Content-Encoding": "br"})
    assert_problem(answer, 415, "'br'", "gzip")


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_bomb_is_refused_before_it_fills_the_memory(client, encoding, compress):
    bomb = compress(bytes(50_000_000))
    assert len(bomb) < 200_000
    tracemalloc.start()
    answer = client.post(HALF, data=bomb, headers={"Content-Encoding": encoding})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert_problem(answer, 413, "200000 bytes")
    assert peak < 5_000_000
