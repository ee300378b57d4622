"""A gunicorn worker whose threads wait for no client: they get whole requests.

    accept ──► receive ──► thread ──► send ──► keep alive ──► receive …
                  │                     │
                  └───── refuse ────────┴────► linger ──► close

All but answering happens in the main loop, on sockets that never block. So no client holds a
thread, however slowly it sends or reads. Everything that waits for a client has a deadline, and the
memory for large requests and answers is limited. A few spare threads answer probes, and turn away
what is too much, while all others wait for the model server.
"""

from __future__ import annotations

import errno
import math
import select
import selectors
import socket
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import structlog
from gunicorn.http.message import Request
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from services.gateway.process.connection import (
    SECONDS_TO_MOVE,
    ClientSocket,
    Connection,
    WaitingConnections,
)
from services.gateway.process.refusal import RequestRefused
from services.gateway.request.environ import ARRIVAL, REFUSED
from services.gateway.request.probe_paths import PROBE_PATHS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_SMALL_BYTES = 2**16
"""Requests up to this size are always received; larger ones share a limited amount of memory."""

_LARGEST_BODIES = 8
"""The memory of a worker for large requests and answers, in bodies of the largest size."""

_SECONDS_TO_LINGER = 2.0
"""In which a client must have closed a connection that is at its end; gunicorn's own measure."""

_SECONDS_TO_CONNECT = 0.3
"""In which a connection that a client has begun to open is complete."""

_RECEIVE_BYTES = 2**18
_SPARE_THREADS = 2
_NOTHING_TO_ACCEPT = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

log = structlog.get_logger()


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """See the module.

    Attributes:
        max_waiting: requests that may wait for a thread.
        max_body_bytes: the largest request body.
    """

    alive: bool
    sockets: list[socket.socket]
    wsgi: WSGIApplication
    max_waiting = 256
    max_body_bytes = 2**24

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Start the spare threads beside those that gunicorn's settings ask for."""
        self._spare = ThreadPoolExecutor(_SPARE_THREADS)
        self._in_progress: set[Connection] = set()
        self._large_bytes = 0
        self._receive_until = math.inf
        self._scratch = memoryview(bytearray(_RECEIVE_BYTES))
        return ThreadPoolExecutor(self.cfg.threads)

    def load_wsgi(self) -> None:
        """Load the application, and tell it of each request when it arrived."""
        super().load_wsgi()
        application = self.wsgi

        def informed(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            environ.update(environ["gunicorn.socket"].environ)
            return application(environ, start)

        self.wsgi = informed

    def run(self) -> None:
        """Serve until SIGTERM, then answer what is there."""
        self._waiting = WaitingConnections(self.poller)
        events = self.method_queue.fileno()
        self.poller.register(events, selectors.EVENT_READ, self.method_queue.run_callbacks)
        while self.alive and self.is_parent_alive():
            self._run_once(timeout=1.0)
        self.alive = False
        self._drain()
        self.tpool.shutdown(wait=False)
        self.poller.close()
        self.method_queue.close()

    def _run_once(self, timeout: float) -> None:
        self.notify()
        self.set_accept_enabled(bool(self.sockets) and self.nr_conns < self.worker_connections)
        self.wait_for_and_dispatch_events(timeout)
        self.murder_keepalived()
        self._waiting.expire()

    def _drain(self) -> None:
        """Answer every connection that was accepted or waits in the backlog, then close it.

        Answers say `Connection: close`. Idle connections stay open for a moment, since a request
        may be on its way. What has not arrived after some seconds is refused.
        """
        now = time.monotonic()
        self._receive_until = now + SECONDS_TO_MOVE
        for conn in self._in_progress:
            conn.request.force_close()
        for conn in [*self.keepalived_conns, *self._waiting]:
            idle = not conn.buffer.size and not conn.sock.unsent_bytes
            longest = STOP_KEEPALIVE_LINGER if idle else SECONDS_TO_MOVE
            conn.timeout = min(conn.timeout, now + longest)
        deadline = now + self.cfg.graceful_timeout
        while (self.sockets or self.nr_conns) and time.monotonic() < deadline:
            self._run_once(timeout=0.1)
            begun = time.monotonic() < now + _SECONDS_TO_CONNECT
            if not begun and self.sockets and not select.select(self.sockets, [], [], 0)[0]:
                self._stop_listening()

    def _stop_listening(self) -> None:
        self.set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()
        self.sockets = []

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and look for its first request."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno not in _NOTHING_TO_ACCEPT:
                # Out of descriptors, for example: the main loop enables it again.
                self.set_accept_enabled(False)
                log.warning("cannot accept a connection", reason=error.strerror)
            return
        client = ClientSocket(accepted)
        self.nr_conns += 1
        server = listener.getsockname()
        self.enqueue_req(Connection(self.cfg, client, address, server, self.max_body_bytes))

    def enqueue_req(self, conn: Connection) -> None:
        """Begin to receive a request."""
        conn.started = time.monotonic()
        conn.has_moved(0)
        self._receive(conn)

    def _receive(self, conn: Connection) -> None:
        """Take what a client has sent, and pass its request on if it is complete."""
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
                self._refuse(conn, RequestRefused(400, "the request broke off: send it in full"))
            else:
                self._close(conn)

    def _advance(self, conn: Connection) -> None:
        """Pass a request on, refuse it, or wait for more of it."""
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
            self._refuse(conn, RequestRefused(408, "the request came too slowly: send it in full"))
        else:
            self._refuse(conn, RequestRefused(503, "the gateway stops: send the request again"))

    def _submit(self, conn: Connection, request: Request) -> None:
        """Have a thread answer a request."""
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
        """Answer a request, in one of the threads; return whether another one may follow."""
        try:
            keepalive = bool(self.handle_request(conn.request, conn))
        except Exception as error:  # Logged and answered 500.
            self.handle_error(conn.request, conn.sock, conn.client, error)
            keepalive = False
        conn.sock.flush()
        return keepalive

    def finish_request(self, conn: Connection, future: Future[bool]) -> None:
        """Send the rest of an answer."""
        self._in_progress.discard(conn)
        del conn.request
        if future.exception():  # The client has gone.
            self._close(conn)
            return
        conn.keepalive = future.result()
        conn.started = time.monotonic()
        conn.sock.sent_bytes = 0  # What the kernel took at once, the client need not have read.
        self._send(conn)

    def _send(self, conn: Connection) -> None:
        """Send what a client takes of its answer, then wait for its next request, or close."""
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
        log.info("a client reads its answer too slowly: the connection is closed")
        self._close(conn)

    def _keep_alive(self, conn: Connection) -> None:
        """Go on with what came behind the last request, or wait for the next one."""
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
        """Answer a request without the application, and close the connection."""
        self._waiting.discard(conn)
        conn.buffer.clear()
        conn.sock.sendall(refusal.response())
        conn.keepalive = False
        conn.started = time.monotonic()
        self._send(conn)

    def _linger(self, conn: Connection) -> None:
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
        self._waiting.add(conn, selectors.EVENT_READ, self._discard, self._close)

    def _discard(self, conn: Connection) -> None:
        """Throw away what a client still sends, until it closes the connection."""
        try:
            if conn.sock.recv_into(self._scratch):
                return
        except BlockingIOError:
            return
        except OSError:  # It has broken the connection off.
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
        """Count the bytes held for a connection; return whether the others left room for them."""
        held_by_others = self._large_bytes - conn.large_bytes
        conn.large_bytes = size if size > MAX_SMALL_BYTES else 0
        self._large_bytes = held_by_others + conn.large_bytes
        limit = _LARGEST_BODIES * self.max_body_bytes
        return not conn.large_bytes or held_by_others < limit

    def _close(self, conn: Connection) -> None:
        self._waiting.discard(conn)
        self._hold(conn, 0)
        self.nr_conns -= 1
        conn.close()
