"""A gunicorn worker that buffers requests and answers, and reserves threads for probes.

    accept ──► receive ──► thread ──► send ──► keep alive ──► receive …
                  │                     │
                  └───── refuse ────────┴────► linger ──► close

The main loop receives requests and sends answers on non-blocking sockets; threads only run the
application. So a client never occupies a thread, however slowly it sends or reads. Each request and
answer has a deadline, and the memory for large ones is limited. A few spare threads answer probes
and, when too many requests wait, refuse new ones.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import structlog
from gunicorn.http.message import Request
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from services.gateway.process.connection import Connection
from services.gateway.process.draining_worker import DrainingWorker
from services.gateway.process.errors import RequestRefused
from services.gateway.request.environ import ARRIVAL, REFUSED
from services.gateway.request.probe_paths import PROBE_PATHS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_SMALL_BYTES = 2**16
"""Requests up to this size are always received; larger ones share a limited amount of memory."""

_LARGEST_BODIES = 8
"""Memory of a worker for large requests and answers, as a multiple of the largest body size."""

_SECONDS_TO_LINGER = 2.0
"""Time for a client to close a connection after its last answer; gunicorn's own limit."""

_RECEIVE_BYTES = 2**16
_SPARE_THREADS = 2
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

log = structlog.get_logger()


class BufferingWorker(DrainingWorker):
    """Worker class for gunicorn; the module's docstring describes it.

    Attributes:
        max_waiting: number of requests that may wait for a thread.
    """

    wsgi: WSGIApplication
    max_waiting = 256

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Returns the thread pool of gunicorn's settings; also starts the spare threads."""
        self._spare = ThreadPoolExecutor(_SPARE_THREADS)
        self._large_bytes = 0
        self._scratch = memoryview(bytearray(_RECEIVE_BYTES))
        return ThreadPoolExecutor(self.cfg.threads)

    def load_wsgi(self) -> None:
        """Loads the application, and adds the socket's entries to the environ of each request."""
        super().load_wsgi()
        application = self.wsgi

        def informed(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            environ.update(environ["gunicorn.socket"].environ)
            return application(environ, start)

        self.wsgi = informed

    def enqueue_req(self, conn: Connection) -> None:
        """Begins to receive a request."""
        conn.started = time.monotonic()
        conn.has_moved(0)
        self._receive(conn)

    def _receive(self, conn: Connection) -> None:
        """Reads what a client has sent."""
        try:
            size = conn.sock.recv_into(self._scratch)
        except BlockingIOError:
            self._advance(conn)
        except OSError:
            self._close(conn)
        else:
            if size:
                conn.buffer.append(self._scratch[:size])
                self._advance(conn)
            elif conn.buffer.size:
                self._refuse(
                    conn,
                    RequestRefused(
                        400,
                        "the connection was closed before the request was complete: send all of it",
                    ),
                )
            else:
                self._close(conn)

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
            self._submit(conn, request)
            return
        conn.has_moved(buffer.size)
        conn.timeout = min(conn.timeout, self._receive_until)
        self._waiting.add(conn, selectors.EVENT_READ, self._receive, self._time_out)
        if buffer.expects_continue:
            buffer.expects_continue = False
            conn.sock.sendall(_CONTINUE)
            self._flush(conn)

    def _time_out(self, conn: Connection) -> None:
        if not conn.buffer.size:
            self._close(conn)
        elif self.alive:
            self._refuse(conn, RequestRefused(408, "the request was received too slowly"))
        else:
            self._refuse(conn, RequestRefused(503, "the gateway is stopping: send it again"))

    def _submit(self, conn: Connection, request: Request) -> None:
        """Passes a request to a thread."""
        self._waiting.discard(conn)
        is_probe = request.path in PROBE_PATHS
        refused = not is_probe and len(self._in_progress) >= self.cfg.threads + self.max_waiting
        conn.request = request
        conn.sock.environ = {ARRIVAL: time.monotonic(), **({REFUSED: True} if refused else {})}
        pool = self._spare if is_probe or refused else self.tpool
        if pool is self.tpool:
            self._in_progress.add(conn)
        future = pool.submit(self.handle, conn)
        future.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))

    def handle(self, conn: Connection) -> bool:
        """Answers a request in a thread; returns whether the connection stays open."""
        try:
            keepalive = bool(self.handle_request(conn.request, conn))
        except Exception as error:  # Logged and answered 500.
            self.handle_error(conn.request, conn.sock, conn.client, error)
            keepalive = False
        conn.sock.flush()
        return keepalive

    def finish_request(self, conn: Connection, future: Future[bool]) -> None:
        """Sends the part of an answer that the thread could not send without waiting."""
        self._in_progress.discard(conn)
        del conn.request
        if future.exception():  # The client has gone.
            self._close(conn)
            return
        conn.keepalive = future.result()
        conn.started = time.monotonic()
        conn.sock.sent_bytes = 0  # The client may not have read what the kernel accepted.
        self._send(conn)

    def _send(self, conn: Connection) -> None:
        """Sends more of an answer; after its end, keeps the connection alive or closes it."""
        if not self._flush(conn):
            return
        if conn.sock.unsent_bytes:
            if not self._hold(conn, conn.sock.unsent_bytes):
                self._give_up(conn)
                return
            conn.has_moved(conn.sock.sent_bytes)
            self._waiting.add(conn, selectors.EVENT_WRITE, self._send, self._give_up)
            return
        self._waiting.discard(conn)
        self._hold(conn, 0)
        if conn.keepalive:
            self._keep_alive(conn)
        else:
            self._linger(conn)

    def _give_up(self, conn: Connection) -> None:
        log.info("closed a connection whose client reads its answer too slowly")
        self._close(conn)

    def _keep_alive(self, conn: Connection) -> None:
        """Continues with a pipelined request, or waits for the next one."""
        if conn.buffer.size:
            conn.started = time.monotonic()
            self._advance(conn)
            return
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        readable = partial(self.on_client_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def _refuse(self, conn: Connection, refusal: RequestRefused) -> None:
        """Answers a request without the application, then closes the connection."""
        self._waiting.discard(conn)
        conn.buffer.clear()
        conn.sock.sendall(refusal.response())
        conn.keepalive = False
        conn.started = time.monotonic()
        self._send(conn)

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
        conn.timeout = time.monotonic() + _SECONDS_TO_LINGER
        self._waiting.add(conn, selectors.EVENT_READ, self._discard, self._close)

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

    def _flush(self, conn: Connection) -> bool:
        try:
            conn.sock.flush()
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
        super()._close(conn)
