"""Damaged bodies of every kind to every task: each is answered in time, and none with a 5xx.

LECTERN_MUTATIONS says how many; a run before a release takes 20,000.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import struct
import time
import zlib
from collections.abc import Callable

import numpy as np
import psutil
import pytest

from services.gateway.codecs.code_container import MEDIA_TYPE, Codes, write_container
from services.gateway.codecs.image_decoder import FORMATS
from tests.services.gateway.images import GREY, PNG, encode

MUTATIONS = int(os.environ.get("LECTERN_MUTATIONS", "600"))
MAX_SECONDS = 10  # of one request, twice the deadline that it has
MAX_GROWTH = 100 * 2**20

CONTAINER = write_container(Codes("codec", 1, (28, 28, 1), np.ones((3, 4), np.uint8)))
IMAGE_TASKS = [
    "classifier:predict",
    "classifier:saliency",
    "layered:activations",
    "generator:generate",
    "codec:compress",
]
NUMBERS = GREY[np.newaxis, ..., np.newaxis].tolist()
DOCUMENTS = {
    "classifier:predict": {"signature_name": "serving_default", "instances": NUMBERS},
    "half_plus_two:predict": {"inputs": {"x": [1, 2.5, -3e4]}},
    "classifier:saliency": {"instances": NUMBERS, "class_index": 1, "method": "gradient"},
    "layered:activations": {"instances": NUMBERS, "layer": "dense", "invert": True},
    "layered:visualize": {"layer": "conv", "channels": [0, 1], "seed": 3},
    "generator:generate": {"latent": [[0.5, 1, 2, 3]], "temperature": 1.0},
    "writer:generate": {"prompt": ["In the beginning", "é"], "seed": 7, "temperature": 0.5},
    "codec:decompress": {
        "model": {"name": "codec", "version": "1"},
        "image_shape": [28, 28, 1],
        "dtype": "uint8",
        "codes": [[1, 2, 3, 4]],
    },
    "examples:classify": {"examples": [{"x": [1.5], "s": {"b64": "aGk="}}]},
}

Body = tuple[str, str, bytes]  # path, media type, content


def whole_bodies() -> list[Body]:
    files = [(encode(GREY, name), f"image/{name.lower()}") for name in FORMATS]
    return [
        *((task, kind, content) for task in IMAGE_TASKS for content, kind in files),
        *(
            (task, "application/json", json.dumps(text).encode())
            for task, text in DOCUMENTS.items()
        ),
        *[("codec:decompress", MEDIA_TYPE, CONTAINER)] * 5,
        *((task, "multipart/form-data; boundary=b", form()) for task in IMAGE_TASKS),
    ]


def form() -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n'
    field = b'--b\r\nContent-Disposition: form-data; name="invert"\r\n\r\ntrue\r\n'
    return field + head + PNG + b"\r\n--b--\r\n"


def flip_bits(body: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 20)):
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)


def cut_off(body: bytearray, chance: random.Random) -> None:
    del body[chance.randrange(len(body)) :]


def repeat_a_part(body: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(body))
    body[start:start] = body[start : start + 50] * chance.randint(1, 40)


def claim_much(body: bytearray, chance: random.Random) -> None:
    """Write a large number where a header may hold a size."""
    size = chance.choice([0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])
    position = chance.randrange(min(len(body), 64))
    body[position : position + 4] = struct.pack(chance.choice("<>") + "I", size)


def nest(body: bytearray, chance: random.Random) -> None:
    depth = chance.randint(1, 5000)
    start = chance.randrange(len(body))
    body[start:start] = chance.choice([b"[", b'{"a":', b"[[1,"]) * depth


MUTATORS: list[Callable[[bytearray, random.Random], None]] = [
    flip_bits,
    cut_off,
    repeat_a_part,
    claim_much,
    nest,
]


def mutate(body: Body, chance: random.Random) -> tuple[str, dict[str, object]]:
    path, media_type, content = body
    damaged = bytearray(content)
    for mutator in chance.sample(MUTATORS, chance.choice([1, 1, 2])):
        if damaged:
            mutator(damaged, chance)
    if content == CONTAINER and chance.random() < 0.5:
        damaged[-4:] = struct.pack("<I", zlib.crc32(damaged[:-4]))
    headers = {"Accept": chance.choice(["application/json", "*/*"])}
    if chance.random() < 0.1:
        damaged = bytearray(gzip.compress(damaged))
        headers["Content-Encoding"] = "gzip"
    if chance.random() < 0.1:
        media_type = chance.choice(["application/json", "image/png", "", MEDIA_TYPE, "text/x"])
    request = {"input_stream": io.BytesIO(damaged), "content_length": len(damaged)}
    return path, {**request, "content_type": media_type, "headers": headers}


def test_the_bodies_are_good_before_they_are_damaged(client):
    for path, media_type, content in whole_bodies():
        answer = client.post(f"/v1/models/{path}", data=content, content_type=media_type)
        # To walk between images takes two of them.
        wants_two = path == "generator:generate" and media_type != "application/json"
        assert answer.status_code == (400 if wants_two else 200), (path, media_type, answer.text)


# Werkzeug leaves a form's files to the garbage collector when the form breaks off.
@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
def test_no_damaged_body_makes_the_gateway_fail_hang_or_grow(client):
    chance = random.Random(20)
    bodies = whole_bodies()
    process = psutil.Process()
    statuses: dict[int, int] = {}
    for number in range(MUTATIONS):
        if number == MUTATIONS // 3:
            size = process.memory_info().rss
        path, request = mutate(chance.choice(bodies), chance)
        start = time.monotonic()
        answer = client.post(f"/v1/models/{path}", **request)
        assert time.monotonic() - start < MAX_SECONDS, (number, path)
        assert answer.status_code < 500, (number, path, answer.text)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
    assert process.memory_info().rss - size < MAX_GROWTH
    # Both what is still good and what is not were among them.
    assert statuses[200] > MUTATIONS / 100
    assert statuses[400] > MUTATIONS / 4
