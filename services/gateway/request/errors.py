"""The errors of a request.

    werkzeug.exceptions.HTTPException
    └── Problem
        ├── InvalidRequest           400
        ├── Unauthorized             401
        ├── Missing                  404
        ├── NotAcceptable            406
        ├── ContentTooLarge          413
        ├── UnsupportedMediaType     415
        ├── NotReady                 503
        ├── DeadlineExceeded         504
        └── ModelServerProblem       as TensorFlow Serving maps the gRPC code

The answer to each is a problem document (RFC 9457) with the `error` member of TensorFlow Serving
added, so that clients of either understand it.
"""

from __future__ import annotations

import json

import grpc
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from services.serving_api.status import HTTP_STATUS

RETRY_AFTER_SECONDS = 1
MAX_DETAIL = 1024
"""Characters, TensorFlow Serving's own limit: a message may quote what was received."""


class Problem(HTTPException):
    """A request that cannot be answered as asked.

    Args:
        description: what was received, what was expected and how to fix it. The client reads it, so
            it must not tell of the gateway's internals.
    """

    code: int
    description: str

    def __init__(self, description: str) -> None:
        super().__init__(description)


class InvalidRequest(Problem):
    """The client sent something that cannot be used."""

    code = 400


class Unauthorized(Problem):
    """The client sent no key, or an unknown one."""

    code = 401


class Missing(Problem):
    """The call exists, but what it asks for does not."""

    code = 404


class NotAcceptable(Problem):
    """The client accepts none of the media types on offer."""

    code = 406


class ContentTooLarge(Problem):
    """The body, or an image in it, is over a limit."""

    code = 413


class UnsupportedMediaType(Problem):
    """The body is of a type that the call does not take."""

    code = 415


class NotReady(Problem):
    """The gateway cannot do its work yet, or for the moment."""

    code = 503


class DeadlineExceeded(Problem):
    """The time of the request is over."""

    code = 504

    def __init__(
        self,
        description: str = "the time for this request is over: send less in one request, or raise "
        "LECTERN_TIMEOUT_SECONDS (and Grpc-Timeout, if you send it)",
    ) -> None:
        super().__init__(description)


class ModelServerProblem(Problem):
    """The model server refused, failed, or cannot be reached.

    Args:
        grpc_code: the gRPC status code.
        description: see `Problem`.
    """

    def __init__(self, grpc_code: grpc.StatusCode, description: str) -> None:
        super().__init__(description)
        self.grpc_code = grpc_code
        self.code = HTTP_STATUS[grpc_code]


def problem_document(status: int, detail: str) -> str:
    """Return the JSON text of a problem document."""
    detail = detail if len(detail) <= MAX_DETAIL else f"{detail[:MAX_DETAIL]}...TRUNCATED"
    document = {
        "type": "about:blank",
        "title": HTTP_STATUS_CODES.get(status, "Client Closed Request"),
        "status": status,
        "detail": detail,
        "error": detail,
    }
    # The standard library's writer escapes lone surrogates, which a quoted name may hold.
    return json.dumps(document)
