"""What clients see of a gateway, or a worker, that stops under load."""

from __future__ import annotations

import http.client
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from tests.processes import Running, wait_until
from tests.services.gateway.gateway_process import TIMEOUT, address, predict, started
from tests.services.gateway.images import PNG

CLIENTS = 8
HEAD = b"POST /v1/models/classifier:predict HTTP/1.1\r\nHost: x\r\n"
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(PNG) + PNG


def port_of(gateway: Running) -> int:
    return int(address(gateway).rpartition(":")[2])


class Client:
    """Predicts again and again until the port refuses connections, or `stop` is set."""

    def __init__(self, port: int, keep_alive: bool) -> None:
        self._port = port
        self._headers = {} if keep_alive else {"Connection": "close"}
        self.seen: Counter[object] = Counter()
        self.stop = False

    def run(self) -> None:
        while not self.stop:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
            try:
                connection.connect()
            except ConnectionRefusedError:
                return
            try:
                self._ask_until_told_to_close(connection)
            except (OSError, http.client.HTTPException) as error:
                self.seen[type(error)] += 1
            finally:
                connection.close()

    def _ask_until_told_to_close(self, connection: http.client.HTTPConnection) -> None:
        while not self.stop:
            connection.request("POST", "/v1/models/classifier:predict", PNG, self._headers)
            with connection.getresponse() as answer:
                answer.read()
                self.seen[answer.status] += 1
                if answer.will_close:
                    return


@contextmanager
def load(port: int, keep_alive: bool) -> Iterator[list[Client]]:
    clients = [Client(port, keep_alive) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        futures: list[Future[None]] = [pool.submit(client.run) for client in clients]
        try:
            wait_until(lambda: seen(clients)[200] > 100, TIMEOUT, "answers")
            yield clients
        finally:
            for client in clients:
                client.stop = True
        for future in futures:
            future.result()


def seen(clients: list[Client]) -> Counter[object]:
    return sum((client.seen for client in clients), Counter())


def connections_by_worker(gateway: Running, count: int) -> list[int]:
    """Opens connections that are all answered; returns how many of them each worker has."""
    port = port_of(gateway)
    with ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(REQUEST)
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        return [
            sum(
                conn.status == psutil.CONN_ESTABLISHED and conn.laddr.port == port
                for conn in worker.net_connections("tcp4")
            )
            for worker in psutil.Process(gateway.process.pid).children()
        ]


@pytest.mark.parametrize("count", [2, 16, 64])
def test_workers_have_equally_many_connections(fake, count):
    balanced = [count // 2, count // 2]
    with started(fake, LECTERN_WORKERS="2") as gateway:
        wait_until(
            lambda: connections_by_worker(gateway, count) == balanced, TIMEOUT, "both workers serve"
        )
        for _ in range(5):
            # Those of the time before may still be closing.
            wait_until(lambda: connections_by_worker(gateway, 0) == [0, 0], TIMEOUT, "all close")
            low, high = sorted(connections_by_worker(gateway, count))
            assert low + high == count
            assert high - low <= 2


@pytest.mark.parametrize("keep_alive", [True, False])
def test_sigterm_loses_no_request(fake, keep_alive):
    with (
        started(fake, LECTERN_WORKERS="2") as gateway,
        load(port_of(gateway), keep_alive) as clients,
    ):
        assert gateway.stop() == 0
        assert "Traceback" not in gateway.output
    assert seen(clients).keys() == {200}


def test_sigterm_answers_every_connection_in_the_backlog(fake):
    """More connections than the worker opens at once wait to be accepted."""
    settings = {"LECTERN_THREADS": "1", "LECTERN_MAX_CONNECTIONS": "2"}
    with started(fake, **settings) as gateway, ThreadPoolExecutor(10) as pool:
        url = address(gateway)
        assert predict(url).ok
        fake.hold()
        answers = [pool.submit(predict, url) for _ in range(10)]
        time.sleep(1)
        gateway.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        fake.release()
        for answer in answers:
            assert answer.result().status_code == 200
            assert answer.result().headers["Connection"] == "close"
        assert gateway.wait() == 0


def test_sigterm_refuses_incomplete_requests(fake):
    with started(fake) as gateway, socket.socket() as slow, socket.socket() as silent:
        for client in (slow, silent):
            client.settimeout(TIMEOUT)
            client.connect(("127.0.0.1", port_of(gateway)))
        slow.sendall(HEAD + b"Content-Length: 500000\r\n\r\n" + bytes(400_000))
        assert predict(address(gateway)).ok
        gateway.process.send_signal(signal.SIGTERM)
        answer = slow.recv(2**16)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Connection: close" in answer
        assert b"Retry-After: " in answer
        assert silent.recv(1) == b""
        assert gateway.wait() == 0
        assert "Traceback" not in gateway.output


def test_a_killed_worker_loses_only_its_own_requests(fake):
    with (
        started(fake, LECTERN_WORKERS="2") as gateway,
        load(port_of(gateway), keep_alive=True) as clients,
    ):
        workers = psutil.Process(gateway.process.pid).children()
        held = [
            conn
            for conn in workers[0].net_connections("tcp4")
            if conn.status == psutil.CONN_ESTABLISHED and conn.laddr.port == port_of(gateway)
        ]
        workers[0].kill()
        before = seen(clients)[200]
        wait_until(lambda: seen(clients)[200] > before + 100, TIMEOUT, "answers go on")
    lost = seen(clients)
    del lost[200]
    assert lost.keys() <= {ConnectionResetError, http.client.RemoteDisconnected}
    assert lost.total() <= len(held)
