"""Non-blocking client connections, and the deadlines of those that wait for a client."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn

from services.gateway.process.request_buffer import RequestBuffer

SECONDS_TO_MOVE = 5.0
"""Time for a small request to be received, or for a small answer to be read."""

MIN_BYTES_PER_SECOND = 2**14
"""Minimum rate for larger ones: this many bytes extend the deadline by one second."""

_MAX_BUFFERS_PER_CALL = 64
_SECONDS_BETWEEN_CHECKS = 0.2


class ClientSocket(socket.socket):
    """A non-blocking socket that buffers what it sends.

    Attributes:
        unsent_bytes: size of the buffered data.
        sent_bytes: bytes that the kernel has accepted.
        environ: entries for the WSGI environ of the current request.
    """

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self.setblocking(False)
        self.unsent_bytes = 0
        self.sent_bytes = 0
        self.environ: dict[str, object] = {}
        self._unsent: deque[bytes | memoryview] = deque()

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Buffers data until `flush`, so that gunicorn never waits while it writes."""
        if data:
            self._unsent.append(data)
            self.unsent_bytes += len(data)

    def flush(self) -> None:
        """Sends as much as possible without waiting.

        Raises:
            OSError: the connection is broken.
        """
        while self._unsent:
            try:
                sent = self.sendmsg(list(islice(self._unsent, _MAX_BUFFERS_PER_CALL)))
            except BlockingIOError:
                return
            self.sent_bytes += sent
            self.unsent_bytes -= sent
            while self._unsent and sent >= len(self._unsent[0]):
                sent -= len(self._unsent.popleft())
            if sent:
                self._unsent[0] = memoryview(self._unsent[0])[sent:]


class Connection(TConn):  # type: ignore[misc]
    """A client's connection and its current request.

    Attributes:
        buffer: the received bytes.
        started: when receiving the request, or sending its answer, began.
        request: the complete request being answered.
        keepalive: whether the connection stays open after the answer.
        large_bytes: bytes that count against the limit for large requests and answers.
        timeout: deadline, by `time.monotonic`, of what the connection waits for.
    """

    request: Request
    started = 0.0
    keepalive = False
    large_bytes = 0

    def __init__(
        self, config: Any, client: ClientSocket, address: Any, server: Any, max_body_bytes: int
    ) -> None:
        super().__init__(config, client, address, server)
        self.buffer = RequestBuffer(config, address, max_body_bytes)

    def has_moved(self, size: int) -> None:
        """Sets the deadline of a request or answer of which `size` bytes have moved."""
        self.timeout = self.started + SECONDS_TO_MOVE + size / MIN_BYTES_PER_SECOND


Step = Callable[[Connection], None]


class WaitingConnections:
    """Connections that wait until the client sends or reads more.

    Args:
        poller: waits for events on the connections.
    """

    def __init__(self, poller: selectors.BaseSelector) -> None:
        self._poller = poller
        self._expire: dict[Connection, Step] = {}
        self._next_check = 0.0

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._expire)

    def add(self, conn: Connection, event: int, then: Step, expire: Step) -> None:
        """Arranges a call of `then` when a connection is ready, or of `expire` after its deadline.

        Args:
            conn: the connection; nothing changes if it was added before.
            event: `selectors.EVENT_READ` or `selectors.EVENT_WRITE`.
            then: sends or receives.
            expire: called after the deadline.
        """
        if conn not in self._expire:
            self._expire[conn] = expire
            self._poller.register(conn.sock, event, lambda _socket: then(conn))

    def discard(self, conn: Connection) -> None:
        """Removes a connection, if it was added."""
        if self._expire.pop(conn, None):
            self._poller.unregister(conn.sock)

    def expire(self) -> None:
        """Calls `expire` for each connection whose deadline has passed."""
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + _SECONDS_BETWEEN_CHECKS
            for conn in [conn for conn in self if conn.timeout <= now]:
                self._expire[conn](conn)
