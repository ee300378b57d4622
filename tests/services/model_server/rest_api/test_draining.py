"""No request that was sent is lost when the server stops."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any, NamedTuple

import pytest

from services.model_server.inference.data_plane import DataPlane
from services.model_server.inference.metrics import Metrics
from services.model_server.rest_api.options import RestOptions
from services.model_server.rest_api.server import RestServer
from tests.processes import wait_until

REQUEST = b"GET /v1/models/half_plus_two HTTP/1.1\r\nHost: x\r\n\r\n"


class Draining(NamedTuple):
    """A server, and the thread that stops it."""

    server: RestServer
    address: tuple[str, int]
    stopping: threading.Thread

    def stop(self) -> None:
        self.stopping.start()
        draining = self.server._server.server_state
        wait_until(lambda: draining.is_draining, 5, "the server drains")


@pytest.fixture
def draining(served: Any, ports: tuple[int, int]) -> Iterator[Draining]:
    server = RestServer(
        served.manager, DataPlane(served.manager, "REST", Metrics()), RestOptions(ports[1]), 5
    )
    server.start()
    stopping = threading.Thread(target=server.stop)
    draining = Draining(server, ("localhost", ports[1]), stopping)
    yield draining
    if stopping.ident is None:
        draining.stop()
    stopping.join(10)
    assert not stopping.is_alive()


def is_kept_after_its_answer(connection: socket.socket) -> bool:
    """Read one answer, and tell whether the connection stays open after it."""
    response = HTTPResponse(connection)
    response.begin()
    assert (response.status, b"AVAILABLE" in response.read()) == (200, True)
    return response.getheader("Connection") != "close"


def test_a_request_on_an_open_connection_is_answered(draining: Draining) -> None:
    with socket.create_connection(draining.address, 5) as connection:
        connection.sendall(REQUEST)
        assert is_kept_after_its_answer(connection)
        draining.stop()
        time.sleep(0.5)
        connection.sendall(REQUEST)
        assert not is_kept_after_its_answer(connection)
        assert connection.recv(1) == b""


def test_a_connection_that_waits_to_be_accepted_is_answered(draining: Draining) -> None:
    with socket.create_connection(draining.address, 5) as connection:
        draining.stop()
        connection.sendall(REQUEST)
        assert not is_kept_after_its_answer(connection)


def test_an_idle_connection_is_closed(draining: Draining) -> None:
    with socket.create_connection(draining.address, 5) as connection:
        connection.sendall(REQUEST)
        assert is_kept_after_its_answer(connection)
        draining.stop()
        start = time.monotonic()
        assert connection.recv(1) == b""
        assert time.monotonic() - start > 0.5


def test_a_new_connection_is_refused(draining: Draining) -> None:
    draining.stop()
    draining.stopping.join(10)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(draining.address, 5)


def test_idle_connections_are_kept_as_long_as_tensorflow_serving_keeps_them(
    draining: Draining,
) -> None:
    assert draining.server._server.config.timeout_keep_alive == 50
