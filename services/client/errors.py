"""Errors of the client.

GatewayError
├── GatewayConnectionError   the gateway cannot be reached
├── GatewayTimeoutError      no answer within the client's timeout
└── ProblemError             the gateway answered with an error
"""

from __future__ import annotations


class GatewayError(Exception):
    """A call to the gateway failed."""


class GatewayTimeoutError(GatewayError):
    """The gateway did not answer within the client's timeout."""


class GatewayConnectionError(GatewayError):
    """The gateway could not be reached, or closed the connection before it answered."""


class ProblemError(GatewayError):
    """The gateway answered with an error, usually a problem document (RFC 9457).

    Args:
        status: HTTP status code.
        detail: the gateway's message: what was received, what was expected, how to fix it.
        retry_after: seconds after which to try again, if the gateway named them.
    """

    def __init__(self, status: int, detail: str, retry_after: int | None = None) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
