"""The time that is left of one request, of which each call to the model server gets the rest."""

from __future__ import annotations

import time

import grpc
from flask import g

from services.gateway.errors import ModelServerProblem


def start_deadline(seconds: float) -> None:
    """Give the current request this long."""
    g.deadline = time.monotonic() + seconds


def time_left() -> float:
    """Return the seconds that the current request still has.

    Raises:
        ModelServerProblem: there are none, status 504.
    """
    seconds: float = g.deadline - time.monotonic()
    if seconds <= 0:
        raise ModelServerProblem(
            grpc.StatusCode.DEADLINE_EXCEEDED,
            "the time for this request is over: send less in one request, or raise "
            "LECTERN_TIMEOUT_SECONDS",
        )
    return seconds
