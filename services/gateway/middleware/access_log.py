"""What is told of every request: an id, a log line, its metrics."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from urllib.parse import quote

import structlog
from flask import Flask, Response, g, request

from services.gateway.request.arrival import arrived_at
from services.gateway.request.deadline import BUDGET_HEADER, start_deadline
from services.gateway.request.probe_paths import PROBE_PATHS
from services.gateway.request.trace_context import take_trace_context
from services.gateway.telemetry.logs import set_log_members
from services.gateway.telemetry.metrics import DURATION, REQUESTS

REQUEST_ID = "X-Request-Id"

_WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_UNCOUNTED = {"/metrics"}
_TASK = re.compile(r">:(\w+)$|/(infer)$")
"""The verb that a route ends in; the colon within a converter has no bracket before it."""

log = structlog.get_logger()


@dataclass
class _Observed:
    """What is known of the current request so far."""

    started: float
    request_id: str
    model: str = ""
    version: str = ""


def observe(app: Flask, timeout_seconds: float) -> None:
    """Follow every request of an application, from its head to its answer.

    Args:
        app: the application.
        timeout_seconds: what each request may take, from its arrival on.
    """

    @app.before_request
    def begin() -> None:
        headers = request.headers
        received = headers.get(REQUEST_ID, "")
        # Anything else could forge log lines.
        request_id = received if _WELL_FORMED_ID.fullmatch(received) else uuid.uuid4().hex
        g.observed = _Observed(arrived_at(), request_id)
        trace_id = take_trace_context(headers)
        trace = {"trace_id": trace_id} if trace_id else {}
        set_log_members({"request_id": request_id, **trace})
        start_deadline(timeout_seconds, headers.get(BUDGET_HEADER))

    @app.after_request
    def end(response: Response) -> Response:
        observed: _Observed = g.observed
        response.headers[REQUEST_ID] = observed.request_id
        _record(observed, response.status_code, time.monotonic() - observed.started)
        return response


def note_model(name: str) -> None:
    """Count the current request for a model; only names that the model server knows may come here.

    Otherwise whoever makes up names makes up time series.
    """
    g.observed.model = name


def note_version(version: int) -> None:
    """Count the current request for the version that answered it."""
    g.observed.version = str(version)


def _record(observed: _Observed, status: int, seconds: float) -> None:
    # The template, since a path would be a time series for each model, version and typing error.
    route = request.url_rule.rule if request.url_rule else "<unmatched>"
    method = request.method if request.method in _METHODS else "<other>"
    model = observed.model
    if route not in _UNCOUNTED:
        task = _TASK.search(route)
        verb = task[1] or task[2] if task else ""
        REQUESTS.labels(method, route, status, model, observed.version, verb).inc()
        DURATION.labels(method, route, model).observe(seconds)
    tell = log.debug if route in PROBE_PATHS else log.info
    tell(
        "request",
        method=method,
        # Encoded, since a decoded line break would start a log line of the client's making.
        path=quote(request.path, safe="/:"),
        status=status,
        milliseconds=round(1000 * seconds, 3),
        model=model,
    )
