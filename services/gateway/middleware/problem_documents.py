"""Answers every error with a problem document (RFC 9457)."""

from __future__ import annotations

import structlog
from flask import Flask, Response, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    TooManyRequests,
)

from services.gateway.request.errors import (
    RETRY_AFTER_SECONDS,
    ContentTooLarge,
    InvalidRequest,
    Problem,
    problem_document,
)
from services.serving_api.open_inference import OpenInferenceError
from services.serving_api.rest_json.errors import JsonError, TooManyValuesError

log = structlog.get_logger()


def answer_errors(app: Flask) -> None:
    """Makes an application answer every exception, including routing errors, in this form."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response:
    match error:
        case HTTPException():
            detail = error.description if isinstance(error, Problem) else _explain(error)
            response = _response(error.code or 500, detail)
            if isinstance(error, MethodNotAllowed):
                response.allow.update(error.valid_methods or ())
            return response
        case TooManyValuesError():
            advice = "files or raw tensors (/v2), or raise LECTERN_MAX_JSON_VALUES"
            return _response(ContentTooLarge.code, f"{error}, {advice}")
        case JsonError() | OpenInferenceError():
            return _response(InvalidRequest.code, str(error))
    log.exception("unexpected error", **g.context.log_members)
    return _response(500, "internal error: see the gateway's log line with this request's id")


def _explain(error: HTTPException) -> str:
    match error:
        case NotFound():
            return f"there is no call {request.method} {request.path}; GET /docs lists the calls"
        case MethodNotAllowed():
            allowed = ", ".join(sorted(error.valid_methods or ()))
            return f"{request.path} does not take {request.method}, expected {allowed}"
        case TooManyRequests():
            return f"received more requests than {error.description}: try again in a moment"
        case ClientDisconnected():
            return "the body ended early, or its next part took seconds: send the whole body"
        case RequestEntityTooLarge():
            return (
                f"the body is too large, expected at most {request.max_content_length} bytes in at "
                f"most {request.max_form_parts} parts"
            )
    return error.description or error.name


def _response(status: int, detail: str) -> Response:
    response = Response(problem_document(status, detail), status)
    response.mimetype = "application/problem+json"
    if status == 401:
        response.www_authenticate = WWWAuthenticate("bearer")
    if status in {429, 503}:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
