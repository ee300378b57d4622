"""The listening socket."""

from __future__ import annotations

import errno
import socket

_BACKLOG = 2048


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
