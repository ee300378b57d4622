"""RequestContext: what belongs to one request, wherever it is.

`middleware.edge` makes it when a request begins. It is handed down as an argument, as far as the
call to the model server, and `middleware.edge` reads it again when the request ends.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from services.gateway.request.errors import InvalidRequest

REQUEST_ID_HEADER = "X-Request-Id"
TIMEOUT_HEADER = "Grpc-Timeout"
"""A client's own time-out, in gRPC's notation (`500m`), as gRPC's HTTP gateways take it.

Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNIT_SECONDS = {"H": 3600, "M": 60, "S": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9}


@dataclass(slots=True)
class RequestContext:
    """One request.

    Attributes:
        arrival: when it was complete, by `time.monotonic`. Time spent queueing counts toward the
            deadline.
        deadline: when its time is over, by `time.monotonic`.
        request_id: the client's, if it is well-formed.
        trace: the trace that it belongs to, as gRPC metadata; empty if the client names none.
        log_members: the members of every log line about it: its id and its trace's.
        client: the client, by the name of its key or by its address.
        model: the model that it asked for, once the model server has told that there is one. A
            metric label: names that clients invent must not get here.
        version: the version that answered.
    """

    arrival: float
    deadline: float
    request_id: str = ""
    trace: tuple[tuple[str, str], ...] = ()
    log_members: dict[str, str] = field(default_factory=dict)
    client: str = ""
    model: str = ""
    version: str = ""

    @classmethod
    def lasting(cls, seconds: float) -> RequestContext:
        """Return the context of a request that begins now, of no client."""
        now = time.monotonic()
        return cls(now, now + seconds)

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
