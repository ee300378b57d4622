"""A gunicorn worker that lets no client and no model server hold up those who ask for little.

Gunicorn's own hands a connection to a thread as soon as it is there, and the thread then waits for
what the client sends. Here the request waits in the kernel's buffer until it is complete; only the
bodies that are too large for that are read by a thread as they come. No thread, and not the main
loop, waits for a client to close its connection, or to send a body that nobody asked for. A few
spare threads answer probes, and turn away what is too much, while all others wait for the model
server.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from bisect import insort
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from operator import attrgetter
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from services.gateway.request.arrival import Arrival, note_arrival

MAX_BUFFERED_BYTES = 2**16
"""Of a head and a body that are waited for before a thread is used."""

SECONDS_TO_SEND = 5.0
"""In which a request of this size must have come."""

_SECONDS_TO_LINGER = 2.0
"""In which a client must have closed a connection that is at its end; gunicorn's own measure."""

_SPARE_THREADS = 2
_PEEK = int(socket.MSG_PEEK | socket.MSG_DONTWAIT)
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,10})[ \t]*\r\n", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)
_PROBE = re.compile(rb"GET /(livez|readyz|startupz|metrics|v2/health/live|v2/health/ready)[ ?]")


def bytes_to_come(received: bytes) -> int:
    """Return how many more bytes of a request are worth waiting for without a thread, at least.

    Args:
        received: what has come so far.
    """
    end = received.find(_END_OF_HEAD)
    if end < 0:
        return 1 if len(received) < MAX_BUFFERED_BYTES else 0
    head = received[: end + len(_END_OF_HEAD)]
    length = _LENGTH.search(head)
    # Who expects a word before the body sends none until then.
    if not length or _EXPECT.search(head):
        return 0
    total = len(head) + int(length[1])
    return max(total - len(received), 0) if total <= MAX_BUFFERED_BYTES else 0


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """See the module.

    Attributes:
        max_waiting: how many requests may wait for a thread.
    """

    max_waiting = 256

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Start the spare threads beside those that gunicorn's settings ask for."""
        self._spare = ThreadPoolExecutor(_SPARE_THREADS)
        self._under_way = 0
        return ThreadPoolExecutor(self.cfg.threads)

    def enqueue_req(self, conn: TConn) -> None:
        """Hand a connection to a thread if its request is there, else wait for more of it."""
        # What the parser read behind the last request belongs to this one.
        held = conn.parser.unreader.buf.getvalue() if conn.parser else b""
        waiting = _peek(conn)
        received = held + (waiting or b"")
        missing = bytes_to_come(received)
        if missing and waiting is not None:
            conn.timeout = conn.send_deadline = getattr(conn, "send_deadline", None) or _deadline()
            self._wait(conn, len(waiting) + missing, self.on_pending_socket_readable)
            return
        conn.send_deadline = None
        conn.data_ready = True
        _wake_at(conn, 1)
        self._submit(conn, bool(_PROBE.match(received)))

    def _wait(self, conn: TConn, size: int, then: Callable[[TConn, socket.socket], None]) -> None:
        """Come back when so much has come; gunicorn closes the connection at its `timeout`."""
        _wake_at(conn, size)
        conn.sock.setblocking(False)
        # Gunicorn looks no further than the first whose time is not over.
        insort(self.pending_conns, conn, key=attrgetter("timeout"))
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(then, conn))

    def _submit(self, conn: TConn, is_probe: bool) -> None:
        refused = not is_probe and self._under_way >= self.cfg.threads + self.max_waiting
        conn.arrival = Arrival(time.monotonic(), refused)
        conn.spare = is_probe or refused
        self._under_way += not conn.spare
        pool = self._spare if conn.spare else self.tpool
        future = pool.submit(self.handle, conn)
        future.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))

    def handle(self, conn: TConn) -> Any:
        """Answer a request, in one of the threads."""
        note_arrival(conn.arrival)
        return super().handle(conn)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Tell whether a connection is good for another request: not while a body is to come."""
        conn.sock.setblocking(False)
        try:
            return keepalive and bool(conn.parser.finish_body(max_bytes=MAX_BUFFERED_BYTES))
        except BlockingIOError:
            return False

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Wait for the next request on the connection, or for the client to close it."""
        self._under_way -= not conn.spare
        if fs.exception() or fs.result():
            super().finish_request(conn, fs)
        else:
            self._linger(conn)

    def _linger(self, conn: TConn) -> None:
        """Say that nothing more will come, and wait until the client has heard it.

        Closed at once, a connection with unread bytes would be reset, and the answer with it.

        Source: https://www.rfc-editor.org/rfc/rfc9112#section-9.6
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # The client has gone.
            self._close(conn)
            return
        conn.timeout = time.monotonic() + _SECONDS_TO_LINGER
        self._wait(conn, 1, self._discard)

    def _discard(self, conn: TConn, client: socket.socket) -> None:
        """Throw away what a client still sends, until it closes the connection."""
        try:
            if client.recv(MAX_BUFFERED_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:  # It has broken the connection off.
            pass
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()


def _deadline() -> float:
    return time.monotonic() + SECONDS_TO_SEND


def _peek(conn: TConn) -> bytes | None:
    """Return what waits to be read; None where no more will come."""
    try:
        received: bytes = conn.sock.recv(MAX_BUFFERED_BYTES, _PEEK)
    except BlockingIOError:
        return b""
    except OSError:
        return None
    # Woken for less than was asked for: the client has closed.
    return received if len(received) >= getattr(conn, "wakes_at", 1) else None


def _wake_at(conn: TConn, size: int) -> None:
    """Let a connection count as readable only from so many bytes on."""
    if size != getattr(conn, "wakes_at", 1):
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
        conn.wakes_at = size
