"""Client connections that no thread waits for."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn

from services.gateway.process.request_buffer import RequestBuffer
from services.gateway.request.arrival import Arrival

SECONDS_TO_MOVE = 5.0
"""Time for a small request to arrive, or for a small answer to be taken."""

MIN_BYTES_PER_SECOND = 2**14
"""Larger ones have a second more for each so many bytes."""

_MAX_BUFFERS_PER_CALL = 64


class ClientSocket(socket.socket):
    """A non-blocking socket that keeps what it is to send until the client takes it.

    Attributes:
        unsent_bytes: bytes that the client has not taken.
        sent_bytes: bytes that it has taken.
    """

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self.setblocking(False)
        self.unsent_bytes = 0
        self.sent_bytes = 0
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
        arrival: when it was complete.
        spare: one of the spare threads answers it.
        keepalive: another request may follow its answer.
        large_bytes: bytes held for it, if they count against the limit for large requests.
        expire: called when `timeout` is over.
    """

    request: Request
    arrival: Arrival
    expire: Callable[[Connection], None]
    started = 0.0
    spare = False
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
