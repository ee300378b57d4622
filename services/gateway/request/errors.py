"""What can go wrong with a request, and how the client is told.

    Problem
    ├── InvalidRequest           400
    ├── Unauthorized             401
    ├── Missing                  404
    ├── NotAcceptable            406
    ├── ContentTooLarge          413
    ├── UnsupportedMediaType     415
    ├── NotReady                 503
    └── ModelServerProblem       as TensorFlow Serving maps the gRPC code

An answer is a problem document (RFC 9457) with the `error` member of TensorFlow Serving added, so
that clients of either understand it.
"""

from __future__ import annotations

import json
from typing import Any

import grpc
import structlog
from flask import Flask, Response, current_app, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    TooManyRequests,
)
from werkzeug.http import HTTP_STATUS_CODES

from services.serving_api.rest_json.errors import JsonError, TooManyValuesError
from services.serving_api.status import HTTP_STATUS

RETRY_AFTER_SECONDS = 1
MAX_DETAIL = 1024
"""Characters, TensorFlow Serving's own limit: a message may quote what was received."""

log = structlog.get_logger()


class Problem(Exception):  # noqa: N818 - the word of the RFC
    """A request that cannot be answered as asked.

    Args:
        detail: what was received, what was expected and how to mend it. The client reads it, so it
            must not tell of the gateway's inside.
    """

    status = 500

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequest(Problem):
    """The client sent what cannot be used."""

    status = 400


class Unauthorized(Problem):
    """The client did not say who it is, or is not known."""

    status = 401


class Missing(Problem):
    """The call is known, but what it asks for is not there."""

    status = 404


class NotAcceptable(Problem):
    """The client accepts none of the media types on offer."""

    status = 406


class ContentTooLarge(Problem):
    """The body, or an image in it, is over a limit."""

    status = 413


class UnsupportedMediaType(Problem):
    """The body is of a type that the call does not take."""

    status = 415


class NotReady(Problem):
    """The gateway cannot do its work yet, or for the moment."""

    status = 503


class ModelServerProblem(Problem):
    """The model server refused, failed, or did not answer in time.

    Args:
        code: the gRPC status code.
        detail: see `Problem`.
    """

    def __init__(self, code: grpc.StatusCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.status = HTTP_STATUS[code]


def handle_errors(app: Flask) -> None:
    """Answer every exception, those of Flask's own routing included, with a problem document."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response:
    match error:
        case Problem():
            return _document(error.status, error.detail)
        case TooManyValuesError():
            advice = "files or raw tensors (/v2), or raise LECTERN_MAX_JSON_VALUES"
            return _document(413, f"{error}, {advice}")
        case JsonError():
            return _document(400, str(error))
        case HTTPException():
            response = _document(error.code or 500, _explain(error))
            if isinstance(error, MethodNotAllowed):
                response.allow.update(error.valid_methods or ())
            return response
    log.exception("unexpected error")
    return _document(500, "the gateway failed; its log says why, under this request's id")


def _explain(error: HTTPException) -> str:
    match error:
        case NotFound():
            return f"there is no call {request.method} {request.path}; GET /docs shows the calls"
        case MethodNotAllowed():
            allowed = ", ".join(sorted(error.valid_methods or ()))
            return f"{request.method} {request.path} is not answered, expected {allowed}"
        case TooManyRequests():
            return f"received more requests than {error.description}: wait a moment"
        case ClientDisconnected():
            return "the body broke off, or nothing more of it came for seconds: send it in full"
        case RequestEntityTooLarge():
            limits = current_app.config
            return (
                f"the body is too large, expected at most {limits['MAX_CONTENT_LENGTH']} bytes in "
                f"at most {limits['MAX_FORM_PARTS']} parts"
            )
    return error.description or error.name


def problem_document(status: int, detail: str) -> str:
    """Return the JSON text of a problem document (RFC 9457)."""
    detail = detail if len(detail) <= MAX_DETAIL else f"{detail[:MAX_DETAIL]}...TRUNCATED"
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTP_STATUS_CODES.get(status, "Client Closed Request"),
        "status": status,
        "detail": detail,
        "error": detail,
    }
    # The standard library's writer escapes lone surrogates, which a quoted name may hold.
    return json.dumps(document)


def _document(status: int, detail: str) -> Response:
    response = Response(problem_document(status, detail), status)
    response.mimetype = "application/problem+json"
    if status == 401:
        response.www_authenticate = WWWAuthenticate("bearer")
    if status in {429, 503}:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
