"""Rate limit per client; each worker process counts for itself, in memory."""

from __future__ import annotations

import threading

from flask import Flask, g, request
from flask_limiter import Limiter
from limits import parse_many
from limits.storage import MemoryStorage

from services.gateway.request.probe_paths import PROBE_PATHS
from services.gateway.settings import SetupError

MAX_COUNTERS = 10_000
"""Maximum number of counters; a client has one per limit."""


def limit_rate(app: Flask, limit: str) -> None:
    """Answers 429 to a client that calls more often than it may.

    Every request but probes and metrics counts, unmatched paths and rejected keys included.

    Args:
        app: the application; its requests' contexts name the client.
        limit: such as `100/second` or `5/second;1000/hour`.

    Raises:
        SetupError: the limit has another form.
    """
    try:
        parse_many(limit)
    except ValueError as error:
        raise SetupError(
            f"LECTERN_RATE_LIMIT: received {limit!r}, expected such as 100/second"
        ) from error
    limiter = Limiter(
        lambda: g.context.client,
        app=app,
        # One budget for all calls of a client, not one for each.
        application_limits=[limit],
        # By default the limiter skips requests that match no route, and static files.
        request_identifier=lambda: "any",
        headers_enabled=True,
        storage_uri=f"{BoundedMemoryStorage.STORAGE_SCHEME[0]}://",
    )
    limiter.request_filter(lambda: request.path in PROBE_PATHS)


class BoundedMemoryStorage(MemoryStorage):
    """Counters in memory; when there are too many, the oldest is dropped.

    Clients with many addresses could otherwise fill the memory before their counters expire.
    """

    STORAGE_SCHEME = ["bounded-memory"]  # noqa: RUF012 - the base class's form

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False) -> None:
        self._lock = threading.Lock()
        super().__init__(uri, wrap_exceptions)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Counts a request; see the base class."""
        with self._lock:
            if key not in self.expirations and len(self.expirations) >= MAX_COUNTERS:
                self.clear(next(iter(list(self.expirations))))
        return super().incr(key, expiry, amount)
