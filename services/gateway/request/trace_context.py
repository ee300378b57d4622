"""The trace that a request belongs to, handed on to the model server.

Source: https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from contextvars import ContextVar

from werkzeug.datastructures import Headers

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}")

_metadata: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("trace_metadata", default=())


def take_trace_context(headers: Headers) -> str | None:
    """Keep the trace of a request for the calls that its thread makes.

    Returns:
        The trace's id; None where the request names no trace.
    """
    traceparent = headers.get("traceparent", "")
    match = _TRACEPARENT.fullmatch(traceparent)
    if not match:
        _metadata.set(())
        return None
    tracestate = headers.get("tracestate", "")
    state = (("tracestate", tracestate),) if _TRACESTATE.fullmatch(tracestate) else ()
    _metadata.set((("traceparent", traceparent), *state))
    return match[1]


def trace_metadata() -> tuple[tuple[str, str], ...]:
    """Return the trace of the current request as gRPC metadata."""
    return _metadata.get()
