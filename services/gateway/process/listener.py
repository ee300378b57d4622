"""The listening socket: opening it, and stopping it without losing a connection."""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from contextlib import suppress

_BACKLOG = 2048

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


class ListenError(OSError):
    """The address cannot be listened on; the message says why and how to fix it."""


def listen(host: str, port: int) -> socket.socket:
    """Opens the port. Gunicorn itself would retry for five seconds and log ten lines.

    Raises:
        ListenError: the port is in use, or the address does not belong to this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "the port is taken; stop the other program, or choose another LECTERN_PORT"
        elif error.errno == errno.EACCES:
            reason = "ports below 1024 are reserved for the system; choose a higher LECTERN_PORT"
        else:
            reason = f"{error.strerror}; set LECTERN_HOST to an address of this machine"
        raise ListenError(f"cannot listen on {host}:{port}: {reason}") from error


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
