"""RequestContext: the arrival, deadline, id and trace of one request, and what was observed of it.

The middleware creates it when a request begins. It is handed down as an argument, as far as the
call to the model server, and the middleware reads it again when the request ends.

Source: https://www.w3.org/TR/trace-context/ and, for a client's own time-out,
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.request.environ import ARRIVAL
from services.gateway.request.errors import DeadlineExceeded, InvalidRequest

REQUEST_ID_HEADER = "X-Request-Id"
TIMEOUT_HEADER = "Grpc-Timeout"
"""A client's own time-out, in gRPC's notation (`500m`), as gRPC's HTTP gateways take it."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNIT_SECONDS = {"H": 3600, "M": 60, "S": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}")


@dataclass(slots=True)
class RequestContext:
    """One request.

    Attributes:
        arrival: when it was complete, by `time.monotonic`. Time spent queueing counts toward the
            deadline.
        deadline: when its time is over, by `time.monotonic`.
        request_id: the client's, if it is well-formed.
        trace_id: the id of the trace that it belongs to, if the client names one.
        trace: that trace as gRPC metadata.
        client: the client, by the name of its key or by its address.
        model: the model that it asked for, once the model server has told that there is one. A
            metric label: names that clients invent must not get here.
        version: the version that answered.
    """

    arrival: float
    deadline: float
    request_id: str = ""
    trace_id: str | None = None
    trace: tuple[tuple[str, str], ...] = ()
    client: str = ""
    model: str = ""
    version: str = ""

    @classmethod
    def lasting(cls, seconds: float) -> RequestContext:
        """Return the context of a request that begins now, of no client."""
        now = time.monotonic()
        return cls(now, now + seconds)

    @classmethod
    def of(cls, environ: Mapping[str, Any], seconds: float) -> RequestContext:
        """Return the context of an HTTP request.

        Args:
            environ: the WSGI environment.
            seconds: how long the request may take, from its arrival on.
        """
        arrival = environ.get(ARRIVAL) or time.monotonic()
        received = environ.get("HTTP_X_REQUEST_ID", "")
        # Anything else could forge log lines.
        request_id = received if _REQUEST_ID.fullmatch(received) else uuid.uuid4().hex
        context = cls(arrival, arrival + seconds, request_id)
        traceparent = environ.get("HTTP_TRACEPARENT", "")
        if match := _TRACEPARENT.fullmatch(traceparent):
            state = environ.get("HTTP_TRACESTATE", "")
            metadata = (("tracestate", state),) if _TRACESTATE.fullmatch(state) else ()
            context.trace_id, context.trace = match[1], (("traceparent", traceparent), *metadata)
        return context

    def limit_to(self, timeout: str) -> None:
        """Lower the deadline to a client's own time-out.

        Raises:
            InvalidRequest: the time-out is not in gRPC's notation.
        """
        match = _TIMEOUT.fullmatch(timeout)
        if not match:
            raise InvalidRequest(
                f"received {TIMEOUT_HEADER}: {timeout!r}, expected at most eight digits and a unit "
                "(H, M, S, m, u, n), such as 500m for half a second"
            )
        self.deadline = min(self.deadline, self.arrival + int(match[1]) * _UNIT_SECONDS[match[2]])

    def time_left(self) -> float:
        """Return the seconds until the deadline.

        Raises:
            DeadlineExceeded: there are none.
        """
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise DeadlineExceeded
        return seconds

    @property
    def log_members(self) -> dict[str, str]:
        """The members that every log line about this request has."""
        trace = {"trace_id": self.trace_id} if self.trace_id else {}
        return {"request_id": self.request_id, **trace}
