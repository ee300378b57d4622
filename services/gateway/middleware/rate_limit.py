"""Rate limit per client; each worker process has its own counters, in memory."""

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
    """Answers 429 to a client that sends more requests than the limit.

    Every request except probes and metrics counts, including unmatched paths and rejected keys.

    Args:
        app: the application; the client is that of the request's context.
        limit: for example `100/second` or `5/second;1000/hour`.

    Raises:
        SetupError: the limit has another form.
    """
    try:
        parse_many(limit)
    except ValueError as error:
        raise SetupError(
            f"LECTERN_RATE_LIMIT: received {limit!r}, expected a rate such as 100/second"
        ) from error
    limiter = Limiter(
        lambda: g.context.client,
        app=app,
        # One limit for all calls of a client together, not one per call.
        application_limits=[limit],
        # By default the limiter skips requests that match no route, and static files.
        request_identifier=lambda: "any",
        headers_enabled=True,
        storage_uri=f"{BoundedMemoryStorage.STORAGE_SCHEME[0]}://",
    )
    limiter.request_filter(lambda: request.path in PROBE_PATHS)


class BoundedMemoryStorage(MemoryStorage):
    """Stores a limited number of counters in memory; drops the oldest to make room.

    Otherwise clients with many addresses could fill the memory before their counters expire.
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
