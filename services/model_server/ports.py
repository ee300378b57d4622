"""Listens on a port."""

from __future__ import annotations

import socket


class PortTakenError(OSError):
    """A port cannot be listened on; the message says which and why."""


def listen(port: int) -> socket.socket:
    """Returns a socket that listens on all addresses, IPv4 and, where available, IPv6.

    Raises:
        PortTakenError: another process listens there, or it is not allowed.
    """
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    try:
        listener = socket.create_server(
            ("", port), family=family, backlog=1024, dualstack_ipv6=dual
        )
    except OSError as error:
        raise PortTakenError(f"HTTP cannot listen on port {port}: {error.strerror}") from None
    # Connections inherit it. asyncio sets it only where it made the socket itself, and without it
    # the body of an answer waits some 40 ms for the client to acknowledge the headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
