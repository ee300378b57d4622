"""Watches the memory of a gateway worker and the model server: `python -m benchmarks.soak 24000`.

The requests are of every kind, good, refused and damaged, in turn, over connections that are kept
open. An answer of another status than the kind asks for ends the run, and so does memory that has
grown by more than 3% in the end, beyond what it was after the first tenth.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import cycle, islice
from typing import NamedTuple

import numpy as np
from PIL import Image
from rich.console import Console

from tests.processes import SAMPLES
from tests.stack import COMMITTED, started

CONNECTIONS = 8
STEPS = 10
MOST_GROWTH = 0.03
MODELS = ("cnn", "codec", "vae")
MEGABYTE = 2**20
PATIENCE = 300  # seconds; other work may hold the processors
PNG = (SAMPLES / "bag.png").read_bytes()
PIXELS = np.asarray(Image.open(io.BytesIO(PNG)))[..., np.newaxis]


class Kind(NamedTuple):
    """A kind of request, and the status that answers it."""

    path: str
    body: bytes
    content_type: str = "image/png"
    status: int = 200
    service: str = "gateway"


def kinds() -> list[Kind]:
    """Return a request of every kind; of a single image, the most common one, three."""
    predict, as_json = "/v1/models/cnn:predict", "application/json"
    images = json.dumps({"instances": [PIXELS.tolist()] * 4}).encode()
    tensor = {"name": "images", "shape": [1, 28, 28, 1], "datatype": "FP32"}
    tensors = json.dumps({"inputs": [{**tensor, "data": PIXELS.tolist()}]}).encode()
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + PNG + b"\r\n"
    large = io.BytesIO()
    Image.new("RGBA", (1500, 1000)).save(large, "PNG")
    return [
        *[Kind(predict, PNG)] * 3,
        Kind(predict, large.getvalue()),
        Kind(predict, part + part + b"--b--\r\n", "multipart/form-data; boundary=b"),
        Kind(predict, images, as_json),
        Kind("/v2/models/cnn/infer", tensors, as_json),
        Kind("/v1/models/cnn:saliency", PNG),
        Kind("/v1/models/cnn:activations?layer=conv2", PNG),
        Kind("/v1/models/vae:generate?count=4", b"{}", as_json),
        Kind("/v1/models/codec:compress", PNG),
        Kind(predict, PNG[: len(PNG) // 2], status=400),
        Kind(predict, images[:-9], as_json, 400),
        Kind(f"{predict}?nonsense=1", PNG, status=400),
        Kind("/v1/models/nobody:predict", PNG, status=404),
        Kind(predict, b"?", "text/plain", 415),
        Kind(predict, images, as_json, service="rest"),
        Kind(predict, images[:-9], as_json, 400, "rest"),
        Kind(predict, b'{"instances": [[1.0]]}', as_json, 400, "rest"),
        Kind("/v1/models/nobody:predict", images, as_json, 404, "rest"),
    ]


def send(ports: Mapping[str, int], count: int) -> None:
    """Send so many requests, one after the other, over one connection to each service.

    Raises:
        AssertionError: an answer has another status than it should have.
    """
    with ExitStack() as stack:
        connections = {
            service: stack.enter_context(
                closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE))
            )
            for service, port in ports.items()
        }
        for kind in islice(cycle(kinds()), count):
            connection = connections[kind.service]
            connection.request("POST", kind.path, kind.body, {"Content-Type": kind.content_type})
            response = connection.getresponse()
            content = response.read()
            assert response.status == kind.status, (kind, response.status, content[:300])


def growth(sizes: Sequence[int]) -> float:
    """Return by what share the last size is above the one after warm-up, the second."""
    return sizes[-1] / sizes[1] - 1


def main() -> int:
    """Send, and print what both hold at every tenth; return 1 if one of them has grown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", type=int, help="how many")
    each = parser.parse_args().requests // STEPS // CONNECTIONS
    console = Console(width=100)
    models = {name: COMMITTED[name] for name in MODELS}
    settings = {"LECTERN_TIMEOUT_SECONDS": str(PATIENCE)}
    with started(models, settings) as stack, ThreadPoolExecutor(CONNECTIONS) as pool:
        sizes: dict[str, list[int]] = {name: [] for name in stack.processes}
        for step in range(STEPS + 1):
            start = time.monotonic()
            # First of all one round, which loads what is loaded when it is first needed.
            count = each if step else len(kinds())
            list(pool.map(send, [stack.ports] * CONNECTIONS, [count] * CONNECTIONS))
            for name, process in stack.processes.items():
                sizes[name].append(process.memory_info().rss)
            held = ", ".join(
                f"{name} {sizes[name][-1] / MEGABYTE:.1f} MiB and {process.num_fds()} open files"
                for name, process in stack.processes.items()
            )
            seconds = time.monotonic() - start
            console.print(f"{step * each * CONNECTIONS:>9,} requests, {seconds:.0f} s: {held}")
    grown = {name: growth(each) for name, each in sizes.items()}
    console.print("since warm-up: " + ", ".join(f"{n} {share:+.1%}" for n, share in grown.items()))
    return int(max(grown.values()) > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
