"""RequestContext: deadline, id, trace and model of one request.

`middleware.request_lifecycle` creates it when a request begins, and reads it when the request ends.
It is passed down as an argument as far as the call to the model server.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from services.gateway.request.errors import InvalidRequest
from services.gateway.split_setting import Arm, Split

REQUEST_ID_HEADER = "X-Request-Id"
TIMEOUT_HEADER = "Grpc-Timeout"
"""A client's own timeout, in gRPC's notation (`500m`), as grpc-gateway accepts it.

Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNIT_SECONDS = {"H": 3600, "M": 60, "S": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9}


@dataclass(slots=True)
class RequestContext:
    """One request.

    Attributes:
        arrival: when the request was complete, by `time.monotonic`. Time spent queueing counts
            toward the deadline.
        deadline: when it must be answered, by `time.monotonic`.
        request_id: the id that the client sent if it is well-formed, else a new one.
        trace: its trace context as gRPC metadata; empty if the client sent none.
        log_members: the request id and the trace id, which every log line about it has.
        client: name of the client's key, or the client's address.
        model: the requested model; empty until the model server has confirmed that it exists. It is
            a metric label, so it must never be a name that a client made up.
        version: the version that answered.
        split: the split that the client named instead of a model; None if it named a model.
        arm: the arm of the split that answers; None if the request only describes the split.
    """

    arrival: float
    deadline: float
    request_id: str = ""
    trace: tuple[tuple[str, str], ...] = ()
    log_members: dict[str, str] = field(default_factory=dict)
    client: str = ""
    model: str = ""
    version: str = ""
    split: Split | None = None
    arm: Arm | None = None

    @classmethod
    def lasting(cls, seconds: float) -> RequestContext:
        """Returns a context that begins now, for calls that no client asked for."""
        now = time.monotonic()
        return cls(now, now + seconds)

    def limit_to(self, timeout: str) -> None:
        """Lowers the deadline to a client's own timeout.

        Raises:
            InvalidRequest: the timeout is not in gRPC's notation.
        """
        match = _TIMEOUT.fullmatch(timeout)
        if not match:
            raise InvalidRequest(
                f"received {TIMEOUT_HEADER}: {timeout!r}, expected at most eight digits and a unit "
                "(H, M, S, m, u, n), such as 500m for half a second"
            )
        self.deadline = min(self.deadline, self.arrival + int(match[1]) * _UNIT_SECONDS[match[2]])
