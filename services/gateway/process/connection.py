"""Client connections that no thread waits for, and their deadlines."""

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
"""Time for a small request to arrive, or for a small answer to be taken."""

MIN_BYTES_PER_SECOND = 2**14
"""Larger ones have a second more for each so many bytes."""

_MAX_BUFFERS_PER_CALL = 64
_SECONDS_BETWEEN_CHECKS = 0.2


class ClientSocket(socket.socket):
    """A non-blocking socket that keeps what it is to send until the client takes it.

    Attributes:
        unsent_bytes: bytes that the client has not taken.
        sent_bytes: bytes that it has taken.
        environ: what the application is told about the request, beside what WSGI asks for.
    """

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self.setblocking(False)
        self.unsent_bytes = 0
        self.sent_bytes = 0
        self.environ: dict[str, object] = {}
        self._unsent: deque[bytes | memoryview] = deque()

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Keep data for `flush`, so that gunicorn's writing never waits."""
        if data:
            self._unsent.append(data)
            self.unsent_bytes += len(data)

    def flush(self) -> None:
        """Send as much as possible without waiting.

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
    """A client's connection and its request.

    Attributes:
        buffer: what has been received.
        started: when the request or its answer began to move.
        request: the complete request being answered.
        keepalive: another request may follow its answer.
        large_bytes: bytes held for it, if they count against the limit for large requests.
        timeout: the time, by `time.monotonic`, by which the client must have done its part.
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
        """Set the deadline of a request or answer of which so many bytes have moved."""
        self.timeout = self.started + SECONDS_TO_MOVE + size / MIN_BYTES_PER_SECOND


Step = Callable[[Connection], None]


class WaitingConnections:
    """Connections that wait until a client sends, or takes, something more.

    Args:
        poller: calls the next step of a connection that is ready.
    """

    def __init__(self, poller: selectors.BaseSelector) -> None:
        self._poller = poller
        self._expire: dict[Connection, Step] = {}
        self._next_check = 0.0

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._expire)

    def add(self, conn: Connection, event: int, then: Step, expire: Step) -> None:
        """Call `then` whenever a connection is ready, or `expire` once its `timeout` is over.

        Args:
            conn: the connection; one that waits already goes on as it does.
            event: of `selectors`.
            then: the step that sends or receives.
            expire: the last step.
        """
        if conn not in self._expire:
            self._expire[conn] = expire
            self._poller.register(conn.sock, event, lambda _socket: then(conn))

    def discard(self, conn: Connection) -> None:
        """Let a connection wait no longer, if it does."""
        if self._expire.pop(conn, None):
            self._poller.unregister(conn.sock)

    def expire(self) -> None:
        """Take the last step of connections whose time is over."""
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + _SECONDS_BETWEEN_CHECKS
            for conn in [conn for conn in self if conn.timeout <= now]:
                self._expire[conn](conn)
