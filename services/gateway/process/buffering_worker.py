"""A worker that buffers requests and answers, and reserves threads for probes.

    accept ──► receive ──► thread ──► send ──► receive …
                  │                     │
                  └───── refuse ────────┴────► linger ──► close

The main loop receives requests; threads only run the application, and send what the kernel takes
of its answer at once. So a client never occupies a thread, however slowly it sends or reads. Each
request and answer has a deadline, and the memory for large ones is limited. A few spare threads
answer probes and, when too many requests wait, refuse new ones.
"""

from __future__ import annotations

import math
import selectors
import socket
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import structlog

from services.gateway.process.connection import NOTHING, Connection
from services.gateway.process.draining_worker import DrainingWorker
from services.gateway.process.errors import RequestRefused
from services.gateway.process.threads import Task, Threads
from services.gateway.process.wsgi import run_application

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

MAX_SMALL_BYTES = 2**16
"""Requests up to this size are always received; larger ones share a limited amount of memory."""

_LARGEST_BODIES = 8
"""Memory of a worker for large requests and answers, as a multiple of the largest body size."""

_SECONDS_TO_KEEP_ALIVE = 75.0
"""Longer than load balancers keep idle connections, so that none uses a closed one."""

_SECONDS_TO_LINGER = 2.0
"""Time for a client to close a connection after its last answer."""

_RECEIVE_BYTES = 2**16
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

log = structlog.get_logger()


class BufferingWorker(DrainingWorker):
    """Worker class for gunicorn; the module's docstring describes it.

    Attributes:
        max_waiting: number of requests that may wait for a thread.
    """

    wsgi: WSGIApplication
    max_waiting = 256

    def run(self) -> None:
        """Starts the threads, then serves until SIGTERM."""
        self._large_bytes = 0
        self._scratch = memoryview(bytearray(_RECEIVE_BYTES))
        server, port = self.sockets[0].getsockname()[:2]
        self._server_environ: WSGIEnvironment = {
            "SERVER_NAME": server,
            "SERVER_PORT": str(port),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.errors": sys.stderr,
        }
        self._threads = Threads(self._answer, self.cfg.threads, self.max_waiting)
        super().run()

    def admit(self, conn: Connection) -> None:
        """Begins to receive the first request of a new connection."""
        conn.then, conn.expire = self._receive, self._time_out
        conn.start()
        self.watcher.watch(conn, selectors.EVENT_READ)

    def _receive(self, conn: Connection) -> None:
        """Reads what a client has sent."""
        if conn.is_busy:
            # The client is ahead: it sent another request, or hung up.
            self.watcher.watch(conn, NOTHING)
            conn.has_more = True
            self._receive_more(conn)
            return
        try:
            size = conn.sock.recv_into(self._scratch)
        except BlockingIOError:
            return
        except OSError:
            self._close(conn)
            return
        if size:
            if not conn.buffer.size:
                conn.start()
            conn.buffer.append(self._scratch[:size])
            self._advance(conn)
        elif conn.buffer.size:
            self._refuse(
                conn,
                RequestRefused(
                    400, "the connection was closed before the request was complete: send all of it"
                ),
            )
        else:
            self._close(conn)

    def _receive_more(self, conn: Connection) -> None:
        """Continues to read after an answer what the client had sent before it."""
        if conn.has_more and not conn.is_busy:
            conn.has_more = False
            self.watcher.watch(conn, selectors.EVENT_READ)

    def _advance(self, conn: Connection) -> None:
        """Submits a complete request, refuses a malformed one, or waits for the rest."""
        buffer = conn.buffer
        size = buffer.size
        try:
            request = buffer.next_request()
            if not self._hold(conn, size):
                raise RequestRefused(
                    503, "too many large requests are in progress: try again in a moment"
                )
        except RequestRefused as refusal:
            self._refuse(conn, refusal)
            return
        if request:
            conn.is_busy = True
            conn.timeout = math.inf
            self._threads.submit(conn, request)
            return
        conn.extend_deadline(buffer.size)
        conn.timeout = min(conn.timeout, self.receive_until)
        self.watcher.watch(conn, selectors.EVENT_READ)
        if buffer.expects_continue:
            buffer.expects_continue = False
            self._flush(conn, _CONTINUE)

    def _time_out(self, conn: Connection) -> None:
        if not conn.buffer.size:
            self._close(conn)
        elif self.alive:
            self._refuse(conn, RequestRefused(408, "the request was received too slowly"))
        else:
            self._refuse(conn, RequestRefused(503, "the gateway is stopping: send it again"))

    def _answer(self, task: Task) -> None:
        """Answers a request, in a thread."""
        conn = task.conn
        try:
            response = run_application(self.wsgi, {**self._server_environ, **task.environ()})
            conn.keep_alive = task.request.keep_alive and self.alive
            chunks = response.to_bytes(task.request, conn.keep_alive)
        except Exception:
            log.exception("unexpected error")
            conn.keep_alive = False
            chunks = [RequestRefused(500, "internal error: see the gateway's log").response()]
        is_simple = conn.keep_alive and not conn.buffer.size and not conn.large_bytes
        is_simple = is_simple and sum(map(len, chunks)) <= MAX_SMALL_BYTES
        with conn.sending:
            if is_simple:
                # Before the client can send the next request, so that the main loop just reads it.
                conn.timeout = time.monotonic() + _SECONDS_TO_KEEP_ALIVE
                conn.is_busy = False
            try:
                conn.send(chunks)
            except OSError:  # The client has gone.
                self.call_soon(partial(self._close, conn))
                return
        if not is_simple:
            self.call_soon(partial(self._finish, conn))
        elif conn.unsent_bytes:
            self.call_soon(partial(self._send_rest, conn))
        elif conn.has_more:
            self.call_soon(partial(self._receive_more, conn))

    def _finish(self, conn: Connection) -> None:
        """Takes a connection back from a thread."""
        conn.is_busy = False
        self._send_rest(conn)

    def _send_rest(self, conn: Connection) -> None:
        """Sends the part of an answer that the thread could not send without waiting."""
        if not conn.is_busy:  # Otherwise the next answer brings it back here.
            conn.start()
            conn.then, conn.expire = self._send, self._give_up
            self._send(conn)

    def _send(self, conn: Connection) -> None:
        """Sends more of an answer; after its end, keeps the connection alive or closes it."""
        if not self._flush(conn):
            return
        if conn.unsent_bytes:
            if self._hold(conn, conn.unsent_bytes):
                self.watcher.watch(conn, selectors.EVENT_WRITE)
            else:
                self._give_up(conn)
            return
        self._hold(conn, 0)
        if conn.keep_alive:
            self._keep_alive(conn)
        else:
            self._linger(conn)

    def _give_up(self, conn: Connection) -> None:
        log.info("closed a connection whose client reads its answer too slowly")
        self._close(conn)

    def _keep_alive(self, conn: Connection) -> None:
        """Continues with a pipelined request, or waits for the next one."""
        conn.then, conn.expire = self._receive, self._time_out
        conn.has_more = False
        self.watcher.watch(conn, selectors.EVENT_READ)
        if conn.buffer.size:
            conn.start()
            self._advance(conn)
        else:
            conn.timeout = time.monotonic() + _SECONDS_TO_KEEP_ALIVE

    def _refuse(self, conn: Connection, refusal: RequestRefused) -> None:
        """Answers a request without the application, then closes the connection."""
        conn.buffer.clear()
        conn.keep_alive = False
        if self._flush(conn, refusal.response()):
            self._send_rest(conn)

    def _linger(self, conn: Connection) -> None:
        """Closes the sending side, and waits until the client closes the connection.

        Closing at once would reset a connection that has unread bytes, and the answer could be
        lost.

        Source: https://www.rfc-editor.org/rfc/rfc9112#section-9.6
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # The client has gone.
            self._close(conn)
            return
        conn.then, conn.expire = self._discard, self._close
        conn.timeout = time.monotonic() + _SECONDS_TO_LINGER
        self.watcher.watch(conn, selectors.EVENT_READ)

    def _discard(self, conn: Connection) -> None:
        """Discards what the client sends, until it closes the connection."""
        try:
            if conn.sock.recv_into(self._scratch):
                return
        except BlockingIOError:
            return
        except OSError:  # The client has reset the connection.
            pass
        self._close(conn)

    def _flush(self, conn: Connection, *chunks: bytes) -> bool:
        try:
            conn.send(chunks)
        except OSError:  # The client has gone.
            self._close(conn)
            return False
        return True

    def _hold(self, conn: Connection, size: int) -> bool:
        """Records the bytes held for a connection; returns whether the limit allows them."""
        held_by_others = self._large_bytes - conn.large_bytes
        conn.large_bytes = size if size > MAX_SMALL_BYTES else 0
        self._large_bytes = held_by_others + conn.large_bytes
        limit = _LARGEST_BODIES * self.max_body_bytes
        return not conn.large_bytes or held_by_others < limit

    def _close(self, conn: Connection) -> None:
        self._hold(conn, 0)
        self.watcher.close(conn)
