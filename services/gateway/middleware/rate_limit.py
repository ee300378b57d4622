"""How often one client may call; each worker process counts for itself, in memory."""

from __future__ import annotations

from flask import Flask, g
from flask_limiter import Limiter
from limits import parse_many

from services.gateway.middleware.authentication import is_open
from services.gateway.settings import SetupError


def limit_rate(app: Flask, limit: str) -> None:
    """Answer 429 to a client that calls more often than it may.

    Args:
        app: the application; `g.client` names who calls.
        limit: such as `100/second` or `5/second;1000/hour`.

    Raises:
        SetupError: the limit is of another form.
    """
    try:
        parse_many(limit)
    except ValueError as error:
        raise SetupError(
            f"LECTERN_RATE_LIMIT: received {limit!r}, expected such as 100/second"
        ) from error
    limiter = Limiter(
        lambda: g.client,
        app=app,
        # One budget for all calls of a client, not one for each.
        application_limits=[limit],
        headers_enabled=True,
        storage_uri="memory://",
    )
    limiter.request_filter(is_open)
