"""Clients that send a byte now and then, or read nothing, hold no thread for long."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle

import pytest

from tests.hostile.engine import MEGABYTE, measured, predicts
from tests.hostile.requests import read_status
from tests.processes import wait_until
from tests.stack import Stack

pytestmark = pytest.mark.hostile

CLIENTS = 48  # more than a worker has threads
SECONDS = 12
"""In which a request that arrives byte by byte must have been given up."""

HEAD = b"POST /v1/models/mlp:predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
FRAMINGS = {
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a small body": (HEAD + b"Content-Length: 1000\r\n\r\n", b" "),
    "a large body": (HEAD + b"Content-Length: 10000000\r\n\r\n", b" "),
    "an expected body": (HEAD + b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n", b" "),
    "a head": (b"GET /livez HTTP/1.1\r\n", b"a"),
    "zipped chunks": (
        HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\n \r\n",
    ),
}


@contextmanager
def connected(stack: Stack, service: str, count: int) -> Iterator[list[socket.socket]]:
    address = "127.0.0.1", stack.ports[service]
    with ExitStack() as closing:
        yield [
            closing.enter_context(socket.create_connection(address, timeout=1))
            for _ in range(count)
        ]


def dribble(client: socket.socket, head: bytes, piece: bytes, seconds: float) -> float:
    """Send piece by piece, and return after how many seconds the server was tired of it."""
    start = time.monotonic()
    client.sendall(head)
    while (passed := time.monotonic() - start) < seconds:
        try:
            client.sendall(piece)
        except OSError:
            break
        time.sleep(0.5)
    return passed


@pytest.mark.parametrize(("service", "seconds"), [("gateway", SECONDS + 5), ("rest", 4)])
def test_dribblers_keep_no_one_from_predicting(service: str, seconds: float, stack: Stack):
    with (
        measured(stack, 32 * MEGABYTE, 10),
        connected(stack, service, CLIENTS) as clients,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        sending = [
            pool.submit(dribble, client, *framing, seconds)
            for client, framing in zip(clients, cycle(FRAMINGS.values()), strict=False)
        ]
        while not all(each.done() for each in sending):
            predicts(stack)
            time.sleep(0.2)
    if service == "gateway":
        assert max(each.result() for each in sending) < SECONDS


def test_who_reads_no_answer_holds_no_thread(stack: Stack):
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 100
    with measured(stack, 64 * MEGABYTE, 20), connected(stack, "gateway", CLIENTS) as clients:
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(ask)
        for _ in range(10):
            predicts(stack)
            time.sleep(0.2)


def test_idle_connections(stack: Stack):
    """As many as a worker keeps: others wait, and get their turn when these have gone."""
    with connected(stack, "gateway", 300), connected(stack, "rest", 300):
        predicts(stack)
    wait_until(lambda: _answers(stack), 10, "a new connection is answered")


def _answers(stack: Stack) -> bool:
    with connected(stack, "rest", 1) as [client]:
        client.sendall(b"GET /v1/models/mlp HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return read_status(client) == 200
