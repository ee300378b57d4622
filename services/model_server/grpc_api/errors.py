"""Turns what a service raises into a gRPC status, and reads deadlines."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
import structlog

from services.model_server.errors import ServingError, shorten
from services.model_server.servables.cancellation import Cancellation

_STATUS_CODES = {status.value[0]: status for status in grpc.StatusCode}

_NO_DEADLINE_SECONDS = 10 * 365 * 24 * 3600

_log = structlog.get_logger(__name__)

_Method = TypeVar("_Method", bound=Callable[..., Any])


def answers_errors(method: _Method) -> _Method:
    """Lets a servicer method raise ServingError, and not run when its client has gone."""

    @functools.wraps(method)
    def answer(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        cancellation = Cancellation()
        if not context.add_callback(cancellation.cancel):
            cancellation.cancel()
        try:
            with cancellation.of_this_request():
                cancellation.check()
                return method(self, request, context)
        except ServingError as error:
            context.abort(_STATUS_CODES[error.code], shorten(error.message))
        except Exception as error:
            _log.exception("request crashed", method=method.__name__)
            context.abort(grpc.StatusCode.INTERNAL, shorten(repr(error)))

    return answer  # type: ignore[return-value]  # functools.wraps loses the exact type.


def time_remaining(context: grpc.ServicerContext) -> float | None:
    """Returns the seconds until a request's deadline, None where it has none."""
    seconds = context.time_remaining()
    # gRPC counts towards the end of time then, which is more than Python can wait.
    return None if seconds is None or seconds > _NO_DEADLINE_SECONDS else seconds
