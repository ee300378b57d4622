"""A listener stops without losing a connection."""

from __future__ import annotations

import socket
import sys

import pytest

from services.host.sockets import ignore_new_connections


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's socket filters")
def test_connections_begun_before_are_kept_and_new_ones_ignored() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as late:
        port = listener.getsockname()
        with socket.create_connection(port) as early:
            ignore_new_connections(listener)
            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.connect(port)
            early.sendall(b"hello")
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.recv(5) == b"hello"
                accepted.sendall(b"hello, you")
                assert early.recv(10) == b"hello, you"
                listener.close()
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(port)
