"""A taken port is an error that names it."""

from __future__ import annotations

import socket

import pytest

from services.model_server.ports import PortTakenError, listen


@pytest.mark.parametrize("address", ["127.0.0.1", ""])
def test_a_taken_port(ports: tuple[int, int], address: str) -> None:
    port = ports[0]
    message = f"HTTP cannot listen on port {port}"
    with (
        socket.create_server((address, port)),
        pytest.raises(PortTakenError, match=message),
    ):
        listen(port)


def test_both_families_get_in(ports: tuple[int, int]) -> None:
    with listen(ports[0]) as server:
        socket.create_connection(("127.0.0.1", ports[0]), 5).close()
        if server.family == socket.AF_INET6:
            socket.create_connection(("::1", ports[0]), 5).close()


def test_small_packets_are_not_held_back(ports: tuple[int, int]) -> None:
    with listen(ports[0]) as server, socket.create_connection(("127.0.0.1", ports[0]), 5):
        accepted, _ = server.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
