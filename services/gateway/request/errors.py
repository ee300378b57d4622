"""Errors of a request.

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
        └── ModelServerProblem       the HTTP status of the gRPC code, as TensorFlow Serving maps it

Each is answered with a problem document (RFC 9457) that also has TensorFlow Serving's `error`
member, so that both kinds of client understand it.
"""

from __future__ import annotations

import json
from typing import Annotated

import grpc
from pydantic import Field
from typing_extensions import TypedDict
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from services.serving_api.status import HTTP_STATUS

RETRY_AFTER_SECONDS = 1
MAX_DETAIL = 1024
"""Maximum length of a message, which may quote the request; also TensorFlow Serving's limit."""


class Problem(HTTPException):
    """A request that cannot be answered as asked.

    Args:
        description: what was received, what was expected and how to fix it. It is sent to the
            client, so it must not reveal the gateway's internals.
    """

    code: int
    description: str

    def __init__(self, description: str) -> None:
        super().__init__(description)


class InvalidRequest(Problem):
    """The request is malformed, or does not fit the model."""

    code = 400


class Unauthorized(Problem):
    """The client sent no key, or an unknown one."""

    code = 401


class Missing(Problem):
    """The route exists, but the requested resource does not."""

    code = 404


class NotAcceptable(Problem):
    """The client accepts none of the media types that the call can answer with."""

    code = 406


class ContentTooLarge(Problem):
    """The body, or an image in it, is over a limit."""

    code = 413


class UnsupportedMediaType(Problem):
    """The call does not take bodies of this media type."""

    code = 415


class NotReady(Problem):
    """The gateway cannot answer for the moment, because it is starting or overloaded."""

    code = 503


class DeadlineExceeded(Problem):
    """The request's deadline has passed."""

    code = 504

    def __init__(
        self,
        description: str = "the deadline of this request has passed: send less in one request, or "
        "raise LECTERN_TIMEOUT_SECONDS (and Grpc-Timeout, if you send it)",
    ) -> None:
        super().__init__(description)


class ModelServerProblem(Problem):
    """The model server rejected the call, failed, or cannot be reached.

    Args:
        grpc_code: the gRPC status code.
        description: see `Problem`.
    """

    def __init__(self, grpc_code: grpc.StatusCode, description: str) -> None:
        super().__init__(description)
        self.grpc_code = grpc_code
        self.code = HTTP_STATUS[grpc_code]


class ProblemDocument(TypedDict):
    """RFC 9457, with TensorFlow Serving's `error` added."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Field(description="what was received, what was expected, how to fix it")]
    error: Annotated[str, Field(description="the same as `detail`")]


def problem_document(status: int, detail: str) -> str:
    """Returns a problem document as JSON."""
    detail = detail if len(detail) <= MAX_DETAIL else f"{detail[:MAX_DETAIL]}...TRUNCATED"
    document: ProblemDocument = {
        "type": "about:blank",
        "title": HTTP_STATUS_CODES.get(status, "Client Closed Request"),
        "status": status,
        "detail": detail,
        "error": detail,
    }
    # The standard library escapes lone surrogates, which a quoted name may contain.
    return json.dumps(document)
