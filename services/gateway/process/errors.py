"""Errors that the HTTP server answers itself: malformed, too large and too slow requests."""

from __future__ import annotations

from http import HTTPStatus

import structlog

log = structlog.get_logger()


class RequestRefused(Exception):  # noqa: N818 - an answer, not a failure
    """Raised for a request that is answered without the application.

    Args:
        status: the HTTP status.
        detail: what was received and what was expected. It is sent to the client.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = HTTPStatus(status)
        self.detail = detail

    def response(self) -> bytes:
        """Returns the HTTP response, which closes the connection; logs and counts it."""
        # Imported late, since the parent process loads neither Flask nor the metrics.
        from services.gateway.request.errors import (  # noqa: PLC0415
            RETRY_AFTER_SECONDS,
            problem_document,
        )
        from services.gateway.telemetry.metrics import REQUESTS  # noqa: PLC0415

        REQUESTS.labels("<other>", "<refused>", self.status.value, "", "", "").inc()
        log.info("request refused", status=self.status.value)
        body = problem_document(self.status.value, self.detail)
        lines = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            "Content-Type: application/problem+json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            lines.append(f"Retry-After: {RETRY_AFTER_SECONDS}")
        return "\r\n".join([*lines, "", body]).encode()
