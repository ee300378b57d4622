"""The first and the last step of every request.

First: creates its context, and answers 503 if too many requests wait for a thread. Last: adds the
headers of the response, and writes metrics and the log line.
"""

from __future__ import annotations

import random
import re
import time
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import structlog
from flask import Flask, Request, Response, g, request
from flask.globals import request_ctx

from services.gateway.request.context import (
    REQUEST_ID_HEADER,
    TIMEOUT_HEADER,
    RequestContext,
)
from services.gateway.request.environ import ARRIVAL, REFUSED
from services.gateway.request.errors import NotReady
from services.gateway.request.probe_paths import PROBE_PATHS
from services.gateway.telemetry.metrics import DURATION, LIVE, REQUESTS, SPLIT_REQUESTS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    # Pages load nothing from other origins, and may show images that they made themselves.
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}")
"""Source: https://www.w3.org/TR/trace-context/"""

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_UNCOUNTED = {"/metrics"}
_TASK = re.compile(r">:(\w+)$|/(infer)$")
"""Matches the verb at the end of a route; the `>` excludes the colon inside a converter."""

log = structlog.get_logger()


def begin_and_end_requests(app: Flask, timeout_seconds: float) -> None:
    """Adds the first and the last step to every request of an application.

    Args:
        app: the application.
        timeout_seconds: time from a request's arrival to its deadline.
    """

    @app.before_request
    def begin() -> None:
        environ = request.environ
        context = g.context = begin_context(environ, timeout_seconds)
        if REFUSED in environ:
            raise NotReady(
                "too many requests are waiting: try again in a moment, or run more gateways"
            )
        if "HTTP_GRPC_TIMEOUT" in environ:
            context.limit_to(request.headers[TIMEOUT_HEADER])

    @app.after_request
    def end(response: Response) -> Response:
        context: RequestContext = g.context
        response.headers.extend(_SECURITY_HEADERS)
        response.headers[REQUEST_ID_HEADER] = context.request_id
        _record(context, request_ctx.request, response.status_code)
        return response


def begin_context(environ: WSGIEnvironment, timeout_seconds: float) -> RequestContext:
    """Returns the context of the request that a WSGI environ describes."""
    arrival = environ.get(ARRIVAL) or time.monotonic()
    received = environ.get("HTTP_X_REQUEST_ID", "")
    # Any other id could forge log lines.
    request_id = received if _REQUEST_ID.fullmatch(received) else f"{random.getrandbits(128):032x}"
    trace: tuple[tuple[str, str], ...] = ()
    log_members = {"request_id": request_id}
    traceparent = environ.get("HTTP_TRACEPARENT", "")
    if match := _TRACEPARENT.fullmatch(traceparent):
        log_members["trace_id"] = match[1]
        trace = (("traceparent", traceparent),)
        tracestate = environ.get("HTTP_TRACESTATE", "")
        if _TRACESTATE.fullmatch(tracestate):
            trace = (*trace, ("tracestate", tracestate))
    deadline, client = arrival + timeout_seconds, environ.get("REMOTE_ADDR", "")
    return RequestContext(arrival, deadline, request_id, trace, log_members, client)


def _record(context: RequestContext, request: Request, status: int) -> None:
    seconds = time.monotonic() - context.arrival
    # The route's template, since each path, even a mistyped one, would be a time series of its own.
    route = request.url_rule.rule if request.url_rule else "<unmatched>"
    method = request.method if request.method in _METHODS else "<other>"
    if route not in _UNCOUNTED:
        task = _task_of(route)
        REQUESTS.labels(method, route, status, context.model, context.version, task).inc()
        DURATION.labels(method, route, context.model).observe(seconds)
    if context.split and context.arm:
        SPLIT_REQUESTS.labels(context.split.name, context.arm.name, LIVE, status).inc()
    write = log.debug if route in PROBE_PATHS else log.info
    write(
        "request",
        **context.log_members,
        method=method,
        # Encoded, since a line break in it could forge a log line.
        path=_quoted(request.path),
        status=status,
        milliseconds=round(1000 * seconds, 3),
        model=context.model,
    )


@lru_cache(maxsize=256)
def _quoted(path: str) -> str:
    return quote(path, safe="/:")


@lru_cache(maxsize=256)
def _task_of(route: str) -> str:
    match = _TASK.search(route)
    return (match[1] or match[2]) if match else ""
