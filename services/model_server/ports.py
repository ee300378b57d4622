"""Listens on a port, and stops listening without losing a connection."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys

_SO_ATTACH_FILTER = 26
_DROP_SYN = (
    # (operation, jump if true, jump if false, operand), see bpf(4) and linux/filter.h.
    (0x30, 0, 0, 13),  # Load the TCP flags,
    (0x54, 0, 0, 0x12),  # of which SYN and ACK count.
    (0x15, 0, 1, 0x02),  # A SYN alone opens a connection:
    (0x06, 0, 0, 0),  # drop it,
    (0x06, 0, 0, 0xFFFFFFFF),  # and keep everything else.
)


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


def refuse_connections(listener: socket.socket) -> None:
    """Lets no new connection begin, while those that have begun can still be accepted.

    A connection that completes between the last `accept` and `close` would be reset, with the
    request that its client has sent. Where this is not Linux, that gap stays.
    """
    if sys.platform == "linux":
        program = b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_SYN)
        buffer = ctypes.create_string_buffer(program)
        option = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(buffer))
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, option)
