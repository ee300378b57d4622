"""The gateway as a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import requests
from PIL import Image

from tests.processes import ROOT, Running, module, running, wait_until
from tests.services.gateway.gateway_process import TIMEOUT, address, predict, started
from tests.services.gateway.images import PNG, encode


def workers(gateway: Running) -> list[psutil.Process]:
    return psutil.Process(gateway.process.pid).children()


def test_it_serves_and_stops_cleanly(fake, tmp_path):
    with started(fake, TMPDIR=str(tmp_path)) as gateway:
        assert predict(address(gateway)).status_code == 200
        assert gateway.stop() == 0
        assert "Traceback" not in gateway.output
    assert list(tmp_path.iterdir()) == []


def test_a_request_under_way_is_finished_before_it_stops(fake):
    with started(fake) as gateway:
        url = address(gateway)
        assert predict(url).ok
        fake.delay = 1.0
        answers: list[int] = []
        asked = len(fake.requests)
        thread = threading.Thread(target=lambda: answers.append(predict(url).status_code))
        thread.start()
        wait_until(lambda: len(fake.requests) > asked, TIMEOUT, "the request is under way")
        assert gateway.stop() == 0
        thread.join()
        assert answers == [200]


def test_metrics_are_those_of_all_workers_and_outlive_them(fake):
    with started(fake, LECTERN_WORKERS="2") as gateway:
        url = address(gateway)
        wait_until(lambda: len(workers(gateway)) == 2, TIMEOUT, "two workers")

        def counted() -> float:
            lines = requests.get(f"{url}/metrics", timeout=TIMEOUT).text.splitlines()
            start = 'http_requests_total{method="POST",model="classifier"'
            return sum(float(line.split()[-1]) for line in lines if line.startswith(start))

        for _ in range(20):
            assert predict(url).ok
        assert counted() == 20
        old = workers(gateway)
        old[0].kill()
        wait_until(
            lambda: len(workers(gateway)) == 2 and workers(gateway) != old, TIMEOUT, "a new worker"
        )
        assert counted() == 20


def test_a_worker_is_small(fake):
    with started(fake) as gateway:
        url = address(gateway)
        for _ in range(50):
            assert predict(url).ok
        (worker,) = workers(gateway)
        assert worker.memory_info().rss < 120 * 2**20


def test_large_images_leave_a_worker_as_small_as_it_was(fake):
    large = encode(Image.new("RGBA", (1500, 1000)))
    with started(fake) as gateway, ThreadPoolExecutor(8) as pool:
        path = f"{address(gateway)}/v1/models/classifier:predict"

        def ask(body: bytes) -> bool:
            return requests.post(path, body, timeout=TIMEOUT).ok

        assert all(pool.map(ask, [PNG] * 32))
        (worker,) = workers(gateway)
        before = worker.memory_info().rss
        assert all(pool.map(ask, [large] * 32))
        # One of them takes 28 MiB for a moment; without a word to the C library 150 stayed.
        assert worker.memory_info().rss - before < 20 * 2**20


def test_a_hung_model_server_gives_504_within_the_deadline(fake):
    with started(fake, LECTERN_TIMEOUT_SECONDS="0.5") as gateway:
        url = address(gateway)
        wait_until(lambda: predict(url).ok, TIMEOUT, "predicts")
        fake.delay = 15
        start = time.monotonic()
        response = predict(url)
        assert response.status_code == 504
        assert time.monotonic() - start < 5


def test_sighup_reloads_and_drops_nothing(fake):
    with started(fake, LECTERN_WORKERS="1") as gateway:
        url = address(gateway)
        wait_until(lambda: predict(url).ok, TIMEOUT, "predicts")
        (old,) = workers(gateway)
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not old.is_running(), TIMEOUT, "the old worker leaves")
        assert predict(url).ok
        assert gateway.stop() == 0
        assert "Traceback" not in gateway.output


def test_it_stops_at_ctrl_c_even_without_a_model_server(fake):
    with started(fake, LECTERN_MODEL_SERVER="127.0.0.1:1") as gateway:
        assert requests.get(f"{address(gateway)}/livez", timeout=TIMEOUT).ok
        assert gateway.stop(signal.SIGINT) == 0
        assert "Traceback" not in gateway.output


def test_a_taken_port_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        finished = subprocess.run(
            module("services.gateway", "--port", port),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in finished.stderr
    assert "taken" in finished.stderr


def test_a_config_that_cannot_be_read_is_explained_and_ends_it(tmp_path):
    config = tmp_path / "models.config"
    config.write_text("nonsense {")
    environment = {"LECTERN_PORT": "0", "LECTERN_MODEL_CONFIG_FILE": str(config)}
    with running(*module("services.gateway"), environment=environment) as gateway:
        assert gateway.wait(60) != 0
        assert "correct the file, or name the models in LECTERN_MODELS" in gateway.output
        assert "Traceback" not in gateway.output


def test_a_file_that_became_unusable_does_not_end_a_gateway_whose_worker_dies(fake, tmp_path):
    splits = tmp_path / "splits.json"
    splits.write_text('{"splits": []}')
    with started(fake, LECTERN_SPLITS_FILE=str(splits)) as gateway:
        url = address(gateway)
        assert predict(url).ok
        splits.write_text("nonsense")
        workers(gateway)[0].kill()
        gateway.wait_for_line("cannot start")
        splits.write_text('{"splits": []}')
        assert predict(url).ok
        assert gateway.stop() == 0


def test_a_worker_loads_no_tensorflow_and_the_parent_no_application():
    worker = "import sys, services.gateway.process.startup; print(*sys.modules)"
    parent = "import sys, services.gateway.process.http_server; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def modules(program: str) -> set[str]:
        command = [sys.executable, "-c", program]
        text = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout
        return set(text.split())

    in_worker = modules(worker)
    assert "flask" in in_worker
    assert not in_worker & {"tensorflow", "tensorflow.python", "keras"}
    assert not modules(parent) & {"flask", "grpc", "numpy", "PIL", "prometheus_client"}
