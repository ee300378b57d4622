"""Sockets: stops a listener without losing a connection."""

from __future__ import annotations

import ctypes
import socket
import struct
from contextlib import suppress

_ATTACH_FILTER = 26
_LOAD_BYTE, _AND, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x54, 0x15, 0x06
_TCP_FLAGS, _SYN, _SYN_OR_ACK = 13, 0x02, 0x12
_IGNORE_SYN = [
    (_LOAD_BYTE, 0, 0, _TCP_FLAGS),
    (_AND, 0, 0, _SYN_OR_ACK),
    (_JUMP_IF_EQUAL, 0, 1, _SYN),
    (_RETURN, 0, 0, 0),
    (_RETURN, 0, 0, 2**32 - 1),
]


def ignore_new_connections(listener: socket.socket) -> None:
    """Makes the kernel ignore new connections, but complete those that clients have begun.

    When a listener closes, the kernel resets its completed connections, although the client may
    have sent a request. A client that was ignored tries again after a second, and then finds the
    port closed, or the next process. On systems without socket filters this does nothing.

    Source: https://www.kernel.org/doc/html/latest/networking/filter.html
    """
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in _IGNORE_SYN)
    buffer = ctypes.create_string_buffer(program)
    argument = struct.pack("HP", len(_IGNORE_SYN), ctypes.addressof(buffer))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, argument)
