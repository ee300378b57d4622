"""A gunicorn worker that answers every connection before it stops.

On SIGTERM it keeps accepting until no connection waits in the backlog, then closes the listener.
Idle connections stay open for a moment, since a request may be on its way. Every answer has
`Connection: close`.
"""

from __future__ import annotations

import errno
import math
import select
import selectors
import socket
import time

import structlog
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from services.gateway.process.connection import (
    SECONDS_TO_MOVE,
    ClientSocket,
    Connection,
    WaitingConnections,
)

_SECONDS_TO_CONNECT = 0.3
"""Time to complete connections that clients began to open before SIGTERM."""

_NOTHING_TO_ACCEPT = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED}

log = structlog.get_logger()


class DrainingWorker(ThreadWorker):  # type: ignore[misc]
    """The main loop of a worker; a subclass receives and answers requests in `enqueue_req`.

    Attributes:
        max_body_bytes: the largest request body.
    """

    alive: bool
    sockets: list[socket.socket]
    max_body_bytes = 2**24

    def init_process(self) -> None:
        """Prepares this process, then runs the main loop."""
        self._in_progress: set[Connection] = set()
        self._receive_until = math.inf
        super().init_process()

    def run(self) -> None:
        """Serves until SIGTERM, then drains."""
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
        """Answers every connection; refuses requests that stay incomplete for too long."""
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
        """Accepts a connection and begins to receive its first request."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno not in _NOTHING_TO_ACCEPT:
                # For example, no file descriptor is free. The main loop enables accepting again.
                self.set_accept_enabled(False)
                log.warning("cannot accept a connection", reason=error.strerror)
            return
        client = ClientSocket(accepted)
        self.nr_conns += 1
        server = listener.getsockname()
        self.enqueue_req(Connection(self.cfg, client, address, server, self.max_body_bytes))

    def _close(self, conn: Connection) -> None:
        self._waiting.discard(conn)
        self.nr_conns -= 1
        conn.close()
