from __future__ import annotations

import socket

import pytest

from services.gateway.process.listener import ListenError, ignore_new_connections, listen


def test_connections_begun_before_are_kept_and_new_ones_ignored():
    with listen("127.0.0.1", 0) as listener, socket.socket() as late:
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


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_explained(host):
    with pytest.raises(ListenError, match="LECTERN_HOST"):
        listen(host, 0)
