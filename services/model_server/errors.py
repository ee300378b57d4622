"""The error that a request or a load is answered with."""

from __future__ import annotations

from services.serving_api.protos import error_codes_pb2

MAX_MESSAGE = 1024
"""TensorFlow Serving cuts error texts here; longer ones overflow gRPC's limit for headers."""


class ServingError(Exception):
    """A request or a load that failed.

    Attributes:
        code: the canonical status code, a number of `error_codes_pb2.Code`; gRPC, TensorFlow and
            TensorFlow Serving share these numbers.
        message: what was received, what was expected, how to fix it.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid_argument(message: str) -> ServingError:
    """Returns the error for a request that can never succeed as it stands."""
    return ServingError(error_codes_pb2.INVALID_ARGUMENT, message)


def not_found(message: str) -> ServingError:
    """Returns the error for a model or version that is not served."""
    return ServingError(error_codes_pb2.NOT_FOUND, message)


def shorten(message: str) -> str:
    """Cuts a message as TensorFlow Serving does."""
    return message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE] + "...TRUNCATED"
