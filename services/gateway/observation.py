"""What is told of every request: an id, a log line, its metrics."""

from __future__ import annotations

import re
import time
import uuid
from urllib.parse import quote

import structlog
from flask import Flask, Response, g, request

from services.gateway.deadline import BUDGET_HEADER, start_deadline
from services.gateway.metrics import DURATION, REQUESTS
from services.gateway.trace_context import take_trace_context

REQUEST_ID = "X-Request-Id"

_WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_UNCOUNTED = {"/metrics"}
_QUIET = {"/metrics", "/livez", "/readyz", "/startupz"}

log = structlog.get_logger()


def observe(app: Flask, timeout_seconds: float) -> None:
    """Follow every request of an application, from its head to its answer.

    Args:
        app: the application.
        timeout_seconds: what each request may take, from here on.
    """

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        g.model = g.version = ""
        received = request.headers.get(REQUEST_ID, "")
        # Anything else could forge log lines.
        g.request_id = received if _WELL_FORMED_ID.fullmatch(received) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        trace_id = take_trace_context(request.headers)
        if trace_id:
            structlog.contextvars.bind_contextvars(trace_id=trace_id)
        start_deadline(timeout_seconds, request.headers.get(BUDGET_HEADER))

    @app.after_request
    def end(response: Response) -> Response:
        response.headers[REQUEST_ID] = g.request_id
        _record(response, time.perf_counter() - g.started)
        return response


def note_model(name: str) -> None:
    """Count the current request for a model; only names that the model server knows may come here.

    Otherwise whoever makes up names makes up time series.
    """
    g.model = name


def note_version(version: int) -> None:
    """Count the current request for the version that answered it."""
    g.version = str(version)


def _record(response: Response, seconds: float) -> None:
    # The template, since a path would be a time series for each model, version and typing error.
    route = request.url_rule.rule if request.url_rule else "<unmatched>"
    method = request.method if request.method in _METHODS else "<other>"
    if route not in _UNCOUNTED:
        # The verb; the colon within a converter has no bracket before it.
        task = route.partition(">:")[2]
        REQUESTS.labels(method, route, str(response.status_code), g.model, g.version, task).inc()
        DURATION.labels(method, route, g.model).observe(seconds)
    tell = log.debug if route in _QUIET else log.info
    tell(
        "request",
        method=method,
        # Encoded, since a decoded line break would start a log line of the client's making.
        path=quote(request.path, safe="/:"),
        status=response.status_code,
        milliseconds=round(1000 * seconds, 3),
        model=g.model,
    )
