"""A gunicorn worker that answers every connection before it stops.

On SIGTERM it keeps accepting until no connection waits in the backlog, then closes the listener.
Idle connections stay open for a moment, since a request may be on its way. Every answer has
`Connection: close`.
"""

from __future__ import annotations

import errno
import math
import os
import select
import selectors
import socket
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import structlog
from gunicorn.workers.base import Worker

from services.gateway.process.balance import ConnectionCounts
from services.gateway.process.connection import SECONDS_TO_MOVE, Connection, Watcher

_SECONDS_TO_CONNECT = 0.3
"""Time to complete connections that clients began to open before SIGTERM."""

_SECONDS_TO_ASK = 2.0
"""Time that idle connections stay open after SIGTERM."""

_SECONDS_FOR_OTHERS = 0.01
"""Time for a worker with fewer connections to accept one."""

_SECONDS_BETWEEN_SIGNS_OF_LIFE = 1.0

_NOTHING_TO_ACCEPT = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED}

log = structlog.get_logger()


class DrainingWorker(Worker, ABC):  # type: ignore[misc]
    """The main loop of a worker; a subclass receives and answers requests in `admit`.

    Attributes:
        max_body_bytes: the largest request body.
        counts: the numbers of connections of all workers.
        place: this worker's place in `counts`; the parent process assigns it.
    """

    alive: bool
    sockets: list[socket.socket]
    max_body_bytes = 2**24
    counts = ConnectionCounts(1)
    place = 0

    def init_process(self) -> None:
        """Prepares this process, then runs the main loop."""
        self.receive_until = math.inf
        self._poller = selectors.DefaultSelector()
        self.watcher = Watcher(self._poller)
        self._calls: deque[Callable[[], None]] = deque()
        self._is_listening = False
        self._listen_again = 0.0
        self._next_sign_of_life = 0.0
        super().init_process()

    @abstractmethod
    def admit(self, conn: Connection) -> None:
        """Begins to receive the first request of a new connection."""

    def call_soon(self, call: Callable[[], None]) -> None:
        """Has the main loop make a call; any thread may ask for it."""
        self._calls.append(call)
        self._wake()

    def run(self) -> None:
        """Serves until SIGTERM, then drains."""
        # Gunicorn's signal handlers write to the same pipe.
        self._poller.register(self.PIPE[0], selectors.EVENT_READ, self._make_calls)
        while self.alive and os.getppid() == self.ppid:
            self._run_once(timeout=1.0)
        self.alive = False
        self._drain()
        self._poller.close()

    def _wake(self) -> None:
        # If the pipe is full, the main loop is about to wake.
        with suppress(BlockingIOError):
            os.write(self.PIPE[1], b".")

    def _make_calls(self) -> None:
        os.read(self.PIPE[0], 4096)
        while self._calls:
            self._calls.popleft()()

    def _run_once(self, timeout: float) -> None:
        now = time.monotonic()
        if now >= self._next_sign_of_life:
            self._next_sign_of_life = now + _SECONDS_BETWEEN_SIGNS_OF_LIFE
            self.notify()
        if now < self._listen_again:
            timeout = min(timeout, self._listen_again - now)
        connections = len(self.watcher.connections)
        if self.alive:
            self.counts.record(self.place, connections)
        self._listen(now >= self._listen_again and connections < self.cfg.worker_connections)
        for key, _ in self._poller.select(timeout):
            key.data()
        self.watcher.expire()

    def _listen(self, enabled: bool) -> None:
        if enabled != self._is_listening:
            self._is_listening = enabled
            for listener in self.sockets:
                if enabled:
                    self._poller.register(
                        listener, selectors.EVENT_READ, lambda each=listener: self._accept(each)
                    )
                else:
                    self._poller.unregister(listener)

    def _accept(self, listener: socket.socket) -> None:
        """Accepts a connection, unless another worker has fewer and is quick enough."""
        is_patient = not self._listen_again
        self._listen_again = 0.0
        if is_patient and not self.counts.is_most_idle(self.place):
            self._listen_again = time.monotonic() + _SECONDS_FOR_OTHERS
            return
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in _NOTHING_TO_ACCEPT:
                # For example, no file descriptor is free.
                self._listen_again = time.monotonic() + _SECONDS_FOR_OTHERS
                log.warning("cannot accept a connection", reason=error.strerror)
            return
        conn = Connection(sock, client, self.max_body_bytes)
        self.watcher.connections.add(conn)
        self.admit(conn)

    def _drain(self) -> None:
        """Answers every connection; refuses requests that stay incomplete for too long."""
        now = time.monotonic()
        self.counts.remove(self.place)
        self.receive_until = now + SECONDS_TO_MOVE
        deadline = now + self.cfg.graceful_timeout
        while (self.sockets or self.watcher.connections) and time.monotonic() < deadline:
            for conn in self.watcher.connections:
                if conn.is_busy:
                    continue
                is_idle = not conn.buffer.size and not conn.unsent_bytes
                longest = _SECONDS_TO_ASK if is_idle else SECONDS_TO_MOVE
                conn.timeout = min(conn.timeout, now + longest)
            self._run_once(timeout=0.1)
            begun = time.monotonic() < now + _SECONDS_TO_CONNECT
            if not begun and self.sockets and not select.select(self.sockets, [], [], 0)[0]:
                self._stop_listening()

    def _stop_listening(self) -> None:
        self._listen(False)
        for listener in self.sockets:
            listener.close()
        self.sockets = []
