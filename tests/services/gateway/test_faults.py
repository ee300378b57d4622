"""What clients see while the model server hangs, dies and comes back under load; and memory."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import psutil
import pytest
import requests

from tests.fakes import CLASSIFIER, Arrays, FakeVersion, explain
from tests.processes import Running, free_port, module, running, wait_until
from tests.services.gateway.gateway_process import TIMEOUT, address, started
from tests.services.gateway.images import PNG

DEADLINE = 2
CLIENTS = 8
PATIENCE = 5
"""Seconds over the deadline, since other work may hold the processors."""


class Answer(NamedTuple):
    status: int
    seconds: float


class Clients:
    """Clients that ask one request after the other until told to stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stopped = threading.Event()
        self.answers: list[Answer] = []

    def ask(self) -> None:
        with requests.Session() as session:
            while not self._stopped.is_set():
                start = time.monotonic()
                path = f"{self._url}/v1/models/classifier:predict"
                status = session.post(path, PNG, timeout=TIMEOUT).status_code
                self.answers.append(Answer(status, time.monotonic() - start))

    def stop(self) -> None:
        self._stopped.set()

    def since(self, start: int) -> Counter[int]:
        return Counter(answer.status for answer in self.answers[start:])


@contextmanager
def model_server(port: int) -> Iterator[Running]:
    with running(*module("tests.fake_process", str(port))) as process:
        process.wait_for_line("serving")
        yield process


@contextmanager
def load(url: str) -> Iterator[Clients]:
    clients = Clients(url)
    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(clients.ask) for _ in range(CLIENTS)]
        try:
            yield clients
        finally:
            clients.stop()
        for client in asking:
            client.result()


@pytest.fixture
def grpc_port() -> int:
    return free_port()


@pytest.fixture
def gateway(fake, grpc_port) -> Iterator[str]:
    upstream = {"LECTERN_MODEL_SERVER": f"127.0.0.1:{grpc_port}"}
    with started(fake, LECTERN_TIMEOUT_SECONDS=str(DEADLINE), **upstream) as process:
        yield address(process)


def heals(clients: Clients) -> None:
    """Checks that the gateway recovers: ten consecutive answers succeed within five seconds."""
    start = len(clients.answers)

    def well() -> bool:
        recent = [answer.status for answer in clients.answers[start:][-10:]]
        return recent == [200] * 10

    wait_until(well, 5, "ten good answers in a row")


def test_every_request_is_answered_in_time_while_the_model_server_hangs_and_dies(
    gateway, grpc_port
):
    with load(gateway) as clients:
        with model_server(grpc_port) as server:
            wait_until(lambda: clients.since(0)[200] > 50, TIMEOUT, "answers")

            start = len(clients.answers)
            server.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: clients.since(start)[504] >= CLIENTS, TIMEOUT, "504 while it hangs")
            server.process.send_signal(signal.SIGCONT)
            heals(clients)

            start = len(clients.answers)
            server.process.kill()
            wait_until(lambda: clients.since(start)[503] >= CLIENTS, TIMEOUT, "503 without it")
            server.wait()
        with model_server(grpc_port):
            heals(clients)
    assert clients.since(0).keys() <= {200, 503, 504}
    assert max(answer.seconds for answer in clients.answers) < DEADLINE + PATIENCE


def test_explanations_that_hang_leave_room_for_predictions(fake):
    may_go_on = threading.Event()

    def hang(inputs: Arrays) -> Arrays:
        may_go_on.wait(TIMEOUT)
        return explain(inputs)

    hanging = replace(CLASSIFIER["saliency_gradient"], function=hang)
    fake.models["classifier"] = {1: FakeVersion({**CLASSIFIER, "saliency_gradient": hanging})}
    settings = {"LECTERN_THREADS": "8", "LECTERN_MAX_EXPENSIVE_CALLS": "2"}
    with started(fake, **settings) as process, ThreadPoolExecutor(6) as pool:
        url = f"{address(process)}/v1/models/classifier"
        path = f"{url}:saliency"
        futures = [pool.submit(requests.post, path, PNG, timeout=TIMEOUT) for _ in range(6)]
        done = [future.result() for future in islice(as_completed(futures), 4)]
        assert [answer.status_code for answer in done] == [503] * 4
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in done)
        assert requests.post(f"{url}:predict", PNG, timeout=TIMEOUT).ok
        may_go_on.set()
        assert Counter(future.result().status_code for future in futures) == {503: 4, 200: 2}


def test_memory_stays_flat(fake):
    bodies = [PNG, b'{"instances": [[1]]}', b"nonsense", PNG[:50]]

    def ask(url: str) -> None:
        with requests.Session() as session:
            for number in range(125):
                path = f"{url}/v1/models/classifier:{['predict', 'saliency'][number % 2]}"
                session.post(path, bodies[number // 2 % 4], timeout=TIMEOUT)

    with started(fake) as process, ThreadPoolExecutor(4) as pool:
        url = address(process)

        def rss_after_five_hundred_requests() -> float:
            list(pool.map(ask, [url] * 4))
            [worker] = psutil.Process(process.process.pid).children()
            return worker.memory_info().rss / 2**20

        first = rss_after_five_hundred_requests()
        assert rss_after_five_hundred_requests() - first < 5
