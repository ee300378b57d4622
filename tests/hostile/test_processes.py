"""Signals, a worker that is killed, and a full disk: what was sent is answered."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from tests.hostile.engine import MEGABYTE
from tests.processes import SAMPLES, Running, free_port, module, running, wait_until
from tests.stack import Stack

pytestmark = pytest.mark.hostile

CLIENTS = 8
SAMPLE = (SAMPLES / "bag.png").read_bytes()
IMAGE = {"Content-Type": "image/png"}
REFUSED = "refused"
"""The connection could not be made: nothing was sent, so another server can be asked."""

RESET = "reset"
"""A request was sent and nothing came back."""


@contextmanager
def gateway(stack: Stack, workers: int, **environment: str) -> Iterator[tuple[Running, int]]:
    """Run another gateway before the model server of the stack."""
    port = free_port()
    settings = {
        "LECTERN_PORT": str(port),
        "LECTERN_MODEL_SERVER": f"127.0.0.1:{stack.ports['grpc']}",
        "LECTERN_MODELS": "cnn",
        "LECTERN_WORKERS": str(workers),
        "LECTERN_LOG_LEVEL": "error",
        **environment,
    }
    with running(*module("services.gateway"), environment=settings) as process:
        wait_until(lambda: _is_ready(port), 60, "the gateway is ready")
        yield process, port


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


class Clients:
    """Clients that predict without a pause, and count what they get."""

    def __init__(self, port: int, keep_alive: bool) -> None:
        self._port = port
        self._keep_alive = keep_alive
        self._stopping = threading.Event()
        self.counts: Counter[int | str] = Counter()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._running = [self._pool.submit(self._run) for _ in range(CLIENTS)]

    def stop(self) -> Counter[int | str]:
        self._stopping.set()
        for each in self._running:
            each.result()
        self._pool.shutdown()
        return self.counts

    def _run(self) -> None:
        while not self._stopping.is_set():
            with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)) as server:
                if not self._ask_while_open(server):
                    return

    def _ask_while_open(self, server: http.client.HTTPConnection) -> bool:
        try:
            server.connect()
        except ConnectionError:
            self.counts[REFUSED] += 1
            return False
        while not self._stopping.is_set():
            try:
                server.request("POST", "/v1/models/cnn:predict", SAMPLE, IMAGE)
                response = server.getresponse()
                response.read()
            except (ConnectionError, http.client.HTTPException):
                self.counts[RESET] += 1
                return True
            self.counts[response.status] += 1
            if not self._keep_alive or response.will_close:
                return True
        return True


@pytest.mark.parametrize("keep_alive", [False, True], ids=["a connection each", "kept alive"])
def test_a_gateway_that_stops_answers_what_was_sent(keep_alive: bool, stack: Stack):
    with gateway(stack, 2) as (process, port):
        clients = Clients(port, keep_alive)
        wait_until(lambda: clients.counts[200] > 100, 60, "predictions")
        assert process.stop(signal.SIGTERM) == 0
        counts = clients.stop()
    assert counts[RESET] == 0, counts
    assert set(counts) <= {200, 503, REFUSED}, counts


def test_a_worker_that_is_killed_loses_only_what_it_held(stack: Stack):
    with gateway(stack, 2) as (process, port):
        clients = Clients(port, keep_alive=True)
        wait_until(lambda: clients.counts[200] > 100, 60, "predictions")
        worker = psutil.Process(process.process.pid).children()[0]
        worker.kill()
        before = clients.counts[200]
        wait_until(lambda: clients.counts[200] > before + 100, 60, "predictions go on")
        counts = clients.stop()
    # Each client has one request under way.
    assert counts[RESET] <= CLIENTS, counts
    assert set(counts) <= {200, RESET}, counts


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_full_disk_under_the_metrics(stack: Stack, tmp_path: Path):
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with gateway(stack, 1, TMPDIR=str(tmp_path)) as (process, port):
            [worker] = psutil.Process(process.process.pid).children()
            _fill(tmp_path)
            for path in ("/livez", "/metrics", "/v1/models/cnn", "/unknown") * 3:
                requests.get(f"http://127.0.0.1:{port}{path}", timeout=10)
            for query in ("", "?top=1", "?top=2"):
                url = f"http://127.0.0.1:{port}/v1/models/cnn:predict{query}"
                assert requests.post(url, SAMPLE, headers=IMAGE, timeout=10).ok
            assert worker.is_running()
            assert worker in psutil.Process(process.process.pid).children()
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def _fill(folder: Path) -> None:
    with (folder / "full").open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def test_the_model_server_stops_when_asked(stack: Stack):
    """With open connections that say nothing."""
    port, rest = free_port(), free_port()
    flags = f"--port={port}", f"--rest_api_port={rest}", "--model_name=mlp"
    base = f"--model_base_path={Path(__file__).parent.parent.parent / 'models/mlp'}"
    with running(*module("services.model_server", *flags, base)) as process:
        url = f"http://127.0.0.1:{rest}/v1/models/mlp"
        wait_until(lambda: _status(url) == 200, 120, "the model is there")
        idle = http.client.HTTPConnection("127.0.0.1", rest, timeout=30)
        with closing(idle):
            idle.connect()
            start = time.monotonic()
            assert process.stop(signal.SIGTERM) == 0
            assert time.monotonic() - start < 15


def _status(url: str) -> int:
    try:
        return requests.get(url, timeout=5).status_code
    except requests.ConnectionError:
        return 0
