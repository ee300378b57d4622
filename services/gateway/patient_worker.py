"""A gunicorn worker in which clients that send slowly hold no thread.

Gunicorn's own hands a connection to a thread as soon as it is there, and the thread then waits for
what the client sends. Here the request waits in the kernel's buffer until it is complete; only the
bodies that are too large for that are read by a thread as they come.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

MAX_WAITING_BYTES = 2**16
"""Of a head and a body that are waited for before a thread is used."""

SECONDS_TO_SEND = 5.0
"""In which a request of this size must have come."""

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,10})[ \t]*\r\n", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)


def bytes_to_come(received: bytes) -> int:
    """Return how many more bytes of a request are worth waiting for without a thread, at least.

    Args:
        received: what has come so far.
    """
    end = received.find(_END_OF_HEAD)
    if end < 0:
        return 1 if len(received) < MAX_WAITING_BYTES else 0
    head = received[: end + len(_END_OF_HEAD)]
    length = _LENGTH.search(head)
    # Who expects a word before the body sends none until then.
    if not length or _EXPECT.search(head):
        return 0
    total = len(head) + int(length[1])
    return max(total - len(received), 0) if total <= MAX_WAITING_BYTES else 0


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """See the module."""

    def enqueue_req(self, conn: TConn) -> None:
        """Hand a connection to a thread if its request is there, else wait for more of it."""
        received = _peek(conn)
        missing = bytes_to_come(received) if received is not None else 0
        # A connection that became readable without more bytes was closed by its client.
        if missing and len(received or b"") > getattr(conn, "seen", -1):
            conn.seen = len(received or b"")
            self._wait(conn, conn.seen + missing)
            return
        conn.seen, conn.send_deadline = -1, None
        conn.data_ready = True
        _wake_at(conn, 1)
        super().enqueue_req(conn)

    def _wait(self, conn: TConn, size: int) -> None:
        """Come back when so many bytes are there, or close the connection when its time is over."""
        if getattr(conn, "send_deadline", None) is None:
            conn.send_deadline = time.monotonic() + SECONDS_TO_SEND
        conn.timeout = conn.send_deadline
        _wake_at(conn, size)
        conn.sock.setblocking(False)
        self.pending_conns.append(conn)
        ready = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, ready)


def _peek(conn: TConn) -> bytes | None:
    """Return what a client has sent; None where it has closed, or the parser has the next bytes."""
    if conn.parser is not None and conn.parser.unreader.buf.getvalue():
        return None
    try:
        received: bytes = conn.sock.recv(MAX_WAITING_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""
    except OSError:
        return None
    return received or None


def _wake_at(conn: Any, size: int) -> None:
    if size != getattr(conn, "wakes_at", 1):
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
        conn.wakes_at = size
