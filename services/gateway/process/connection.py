"""A client's connection: what was received and not yet answered, and what was not yet sent."""

from __future__ import annotations

import math
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from services.gateway.process.request_buffer import RequestBuffer

SECONDS_TO_MOVE = 5.0
"""Time for a small request to be received, or for a small answer to be read."""

MIN_BYTES_PER_SECOND = 2**14
"""Minimum rate for larger ones: this many bytes extend the deadline by one second."""

NOTHING = 0
"""The event of a connection that is not watched."""

_MAX_BUFFERS_PER_CALL = 64


class Connection:
    """A client's connection.

    It belongs to the main loop, except while it is busy: then a thread answers its request.

    Attributes:
        sock: the non-blocking socket.
        client: the client's address and port.
        buffer: the received bytes.
        event: the event on the socket that the main loop watches for.
        then: what the main loop calls after the event.
        expire: what it calls after the deadline.
        timeout: the deadline, by `time.monotonic`.
        is_busy: whether a thread answers a request.
        has_more: whether the client has sent more, or has hung up, in the meantime.
        sending: held while an answer is sent, so that the next one cannot overtake it.
        keep_alive: whether the connection stays open after the answer.
        large_bytes: bytes that count against the limit for large requests and answers.
        unsent_bytes: size of the answer that was not yet sent.
    """

    event = NOTHING
    then: Callable[[Connection], None]
    expire: Callable[[Connection], None]
    timeout = math.inf
    is_busy = False
    has_more = False
    keep_alive = False
    large_bytes = 0
    unsent_bytes = 0

    def __init__(self, sock: socket.socket, client: tuple[str, int], max_body_bytes: int) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.client = client
        self.buffer = RequestBuffer(max_body_bytes)
        self.sending = threading.Lock()
        self._unsent: deque[bytes | memoryview] = deque()
        self._started = 0.0
        self._sent_bytes = 0

    def start(self) -> None:
        """Begins the time of a request that is received, or of an answer that is sent."""
        self._started = time.monotonic()
        # The client may not have read what the kernel accepted before.
        self._sent_bytes = 0
        self.extend_deadline(0)

    def extend_deadline(self, size: int) -> None:
        """Sets the deadline of a request of which `size` bytes were received."""
        self.timeout = self._started + SECONDS_TO_MOVE + size / MIN_BYTES_PER_SECOND

    def send(self, chunks: Iterable[bytes] = ()) -> None:
        """Sends as much as possible without waiting, and keeps the rest.

        Raises:
            OSError: the connection is broken.
        """
        for chunk in chunks:
            if chunk:
                self._unsent.append(chunk)
                self.unsent_bytes += len(chunk)
        while self._unsent:
            try:
                sent = self.sock.sendmsg(list(islice(self._unsent, _MAX_BUFFERS_PER_CALL)))
            except BlockingIOError:
                self.extend_deadline(self._sent_bytes)
                return
            self._sent_bytes += sent
            self.unsent_bytes -= sent
            while self._unsent and sent >= len(self._unsent[0]):
                sent -= len(self._unsent.popleft())
            if sent:
                self._unsent[0] = memoryview(self._unsent[0])[sent:]


class Watcher:
    """Watches connections for events, and for their deadlines.

    Args:
        poller: waits for events.
    """

    _SECONDS_BETWEEN_CHECKS = 0.2

    def __init__(self, poller: selectors.BaseSelector) -> None:
        self.connections: set[Connection] = set()
        self._poller = poller
        self._next_check = 0.0

    def watch(self, conn: Connection, event: int) -> None:
        """Watches a connection for another event than before, or for none.

        Args:
            conn: the connection; after the event `conn.then` is called.
            event: `selectors.EVENT_READ`, `selectors.EVENT_WRITE` or `NOTHING`.
        """
        if event == conn.event:
            return
        if event == NOTHING:
            self._poller.unregister(conn.sock)
        elif conn.event == NOTHING:
            self._poller.register(conn.sock, event, lambda: conn.then(conn))
        else:
            self._poller.modify(conn.sock, event, lambda: conn.then(conn))
        conn.event = event

    def close(self, conn: Connection) -> None:
        """Closes a connection."""
        self.watch(conn, NOTHING)
        self.connections.discard(conn)
        conn.sock.close()

    def expire(self) -> None:
        """Calls `expire` of each connection whose deadline has passed."""
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + self._SECONDS_BETWEEN_CHECKS
            for conn in [each for each in self.connections if each.timeout <= now]:
                conn.expire(conn)
