"""What every error answer must look like."""

from __future__ import annotations

from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.test import TestResponse


def assert_problem(response: TestResponse, status: int, *words: str) -> None:
    """Check a problem document (RFC 9457) with TensorFlow Serving's `error` added."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    document = response.json
    assert document["status"] == status
    assert document["title"] == HTTP_STATUS_CODES[status]
    assert document["error"] == document["detail"]
    for word in words:
        assert word in document["detail"]
