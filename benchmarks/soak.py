"""Watches the memory of one gateway worker over many requests: `python -m benchmarks.soak 100000`.

The requests are of every kind, good, refused and damaged, in turn, over connections that are kept
open; the embedded server answers behind the gateway. An answer of another status than the kind asks
for ends the run.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from itertools import cycle, islice
from typing import NamedTuple

import numpy as np
import psutil
import requests
from PIL import Image
from rich.console import Console

from tests.processes import ROOT, SAMPLES, free_port, module, running, wait_until

CONNECTIONS = 8
STEPS = 10
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
    ]


class Gateway(NamedTuple):
    """A running gateway: its port, and the one process that answers."""

    port: int
    worker: psutil.Process


@contextmanager
def started() -> Iterator[Gateway]:
    """Run a gateway of one worker, and an embedded server behind it, until the block ends."""
    grpc_port, rest_port, port = free_port(), free_port(), free_port()
    settings = {
        "LECTERN_PORT": str(port),
        "LECTERN_MODELS": ",".join(MODELS),
        "LECTERN_MODEL_SERVER": f"127.0.0.1:{grpc_port}",
        "LECTERN_WORKERS": "1",
        "LECTERN_LOG_LEVEL": "error",
        "LECTERN_TIMEOUT_SECONDS": str(PATIENCE),
    }
    entry = 'config {{ name: "{0}" base_path: "{1}/{0}" model_platform: "tensorflow" }}'
    entries = " ".join(entry.format(name, ROOT / "models") for name in MODELS)
    with tempfile.NamedTemporaryFile("w", suffix=".config") as config, ExitStack() as stack:
        config.write(f"model_config_list {{ {entries} }}")
        config.flush()
        ports = f"--port={grpc_port}", f"--rest_api_port={rest_port}"
        flags = *ports, f"--model_config_file={config.name}"
        stack.enter_context(running(*module("services.model_server", *flags)))
        gateway = module("services.gateway")
        process = stack.enter_context(running(*gateway, environment=settings)).process
        wait_until(lambda: _is_ready(port), PATIENCE, "the gateway is ready")
        [worker] = psutil.Process(process.pid).children()
        yield Gateway(port, worker)


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


def send(port: int, count: int) -> None:
    """Send so many requests, one after the other, over one connection.

    Raises:
        AssertionError: an answer has another status than it should have.
    """
    all_kinds = kinds()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        for kind in islice(cycle(all_kinds), count):
            headers = {"Content-Type": kind.content_type}
            connection.request("POST", kind.path, kind.body, headers)
            response = connection.getresponse()
            content = response.read()
            assert response.status == kind.status, (kind.path, response.status, content[:300])


def main() -> None:
    """Send, and print what the worker holds at every tenth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", type=int, help="how many")
    each = parser.parse_args().requests // STEPS // CONNECTIONS
    console = Console(width=100)
    with started() as gateway, ThreadPoolExecutor(CONNECTIONS) as pool:
        for step in range(STEPS + 1):
            start = time.monotonic()
            # First of all one round, which loads what is loaded when it is first needed.
            count = each if step else len(kinds())
            list(pool.map(send, [gateway.port] * CONNECTIONS, [count] * CONNECTIONS))
            console.print(
                f"{step * each * CONNECTIONS:>9,} requests: "
                f"{gateway.worker.memory_info().rss / MEGABYTE:6.1f} MiB resident, "
                f"{gateway.worker.num_fds()} open files, {time.monotonic() - start:.0f} s"
            )


if __name__ == "__main__":
    main()
