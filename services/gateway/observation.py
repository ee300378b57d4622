"""What is told of every request: an id, a log line, its metrics."""

from __future__ import annotations

import re
import time
import uuid
from urllib.parse import quote

import structlog
from flask import Flask, Response, g, request

from services.gateway.deadline import start_deadline
from services.gateway.metrics import DURATION, REQUESTS

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
        start_deadline(timeout_seconds)
        g.started = time.perf_counter()
        g.model = ""
        received = request.headers.get(REQUEST_ID, "")
        # Anything else could forge log lines.
        g.request_id = received if _WELL_FORMED_ID.fullmatch(received) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

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


def _record(response: Response, seconds: float) -> None:
    # The template, since a path would be a time series for each model, version and typing error.
    route = request.url_rule.rule if request.url_rule else "<unmatched>"
    method = request.method if request.method in _METHODS else "<other>"
    if route not in _UNCOUNTED:
        REQUESTS.labels(method, route, str(response.status_code), g.model).inc()
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
