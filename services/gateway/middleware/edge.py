"""The first and the last step of every request.

First: its context begins, and it is refused (503) if the HTTP server has no thread for it. Last:
the headers of its response, its metrics and its log line.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from urllib.parse import quote

import structlog
from flask import Flask, Response, g, request

from services.gateway.request.context import (
    REQUEST_ID_HEADER,
    TIMEOUT_HEADER,
    RequestContext,
)
from services.gateway.request.environ import REFUSED
from services.gateway.request.errors import NotReady
from services.gateway.request.probe_paths import PROBE_PATHS
from services.gateway.telemetry.metrics import DURATION, REQUESTS

_SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    # Pages load nothing from other origins, and show images that they made.
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_UNCOUNTED = {"/metrics"}
_TASK = re.compile(r">:(\w+)$|/(infer)$")
"""The verb that a route ends in; the colon within a converter has no bracket before it."""

log = structlog.get_logger()


def begin_and_end_requests(app: Flask, timeout_seconds: float) -> None:
    """Add the first and the last step to every request of an application.

    Args:
        app: the application.
        timeout_seconds: the time that each request has, from its arrival on.
    """

    @app.before_request
    def begin() -> None:
        environ = request.environ
        context = g.context = RequestContext.of(environ, timeout_seconds)
        context.client = environ.get("REMOTE_ADDR", "")
        if REFUSED in environ:
            raise NotReady(
                "as many requests as may wait here already do: try again in a moment, or run more "
                "gateways"
            )
        if "HTTP_GRPC_TIMEOUT" in environ:
            context.limit_to(request.headers[TIMEOUT_HEADER])

    @app.after_request
    def end(response: Response) -> Response:
        response.headers.extend(_SECURITY_HEADERS)
        response.headers[REQUEST_ID_HEADER] = g.context.request_id
        _record(g.context, response.status_code)
        return response


def _record(context: RequestContext, status: int) -> None:
    seconds = time.monotonic() - context.arrival
    # The template, since a path would be a time series for each model, version and typing error.
    route = request.url_rule.rule if request.url_rule else "<unmatched>"
    method = request.method if request.method in _METHODS else "<other>"
    if route not in _UNCOUNTED:
        task = _task_of(route)
        REQUESTS.labels(method, route, status, context.model, context.version, task).inc()
        DURATION.labels(method, route, context.model).observe(seconds)
    write = log.debug if route in PROBE_PATHS else log.info
    write(
        "request",
        **context.log_members,
        method=method,
        # Encoded, since a decoded line break would start a log line of the client's making.
        path=quote(request.path, safe="/:"),
        status=status,
        milliseconds=round(1000 * seconds, 3),
        model=context.model,
    )


@lru_cache(maxsize=256)
def _task_of(route: str) -> str:
    match = _TASK.search(route)
    return (match[1] or match[2]) if match else ""
