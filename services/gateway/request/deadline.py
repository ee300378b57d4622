"""The time that is left of one request, of which each call to the model server gets the rest."""

from __future__ import annotations

import re
import time

import grpc
from flask import g

from services.gateway.request.arrival import arrived_at
from services.gateway.request.errors import InvalidRequest, ModelServerProblem

BUDGET_HEADER = "Grpc-Timeout"
"""A client's own budget, in gRPC's notation (`500m`), as gRPC's HTTP gateways take it.

Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

_BUDGET = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNIT_SECONDS = {"H": 3600, "M": 60, "S": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def start_deadline(seconds: float, budget: str | None = None) -> None:
    """Give the current request this long from its arrival, or less where its own budget says so.

    Raises:
        InvalidRequest: the budget is not in gRPC's notation.
    """
    start = arrived_at()
    g.deadline = start + seconds
    if budget is not None:
        g.deadline = min(g.deadline, start + _read_budget(budget))


def _read_budget(budget: str) -> float:
    match = _BUDGET.fullmatch(budget)
    if not match:
        raise InvalidRequest(
            f"received {BUDGET_HEADER}: {budget!r}, expected at most eight digits and a unit "
            "(H, M, S, m, u, n), such as 500m for half a second"
        )
    return int(match[1]) * _UNIT_SECONDS[match[2]]


def time_left() -> float:
    """Return the seconds that the current request still has.

    Raises:
        ModelServerProblem: there are none, status 504.
    """
    seconds: float = g.deadline - time.monotonic()
    if seconds <= 0:
        raise out_of_time()
    return seconds


def out_of_time() -> ModelServerProblem:
    """Return what a request is answered whose time is over."""
    return ModelServerProblem(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "the time for this request is over: send less in one request, or raise "
        f"LECTERN_TIMEOUT_SECONDS (and {BUDGET_HEADER}, if you send it)",
    )
