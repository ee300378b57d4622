"""What the HTTP server tells the application of the request that a thread is about to answer."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass
class Arrival:
    """A request as the server sees it.

    Attributes:
        at: when it was complete, by `time.monotonic`; what it waited for a thread is part of its
            time.
        refused: so much waits that it is to be turned away.
    """

    at: float
    refused: bool = False


class _Thread(threading.local):
    arrival: Arrival | None = None


_thread = _Thread()


def note_arrival(arrival: Arrival | None) -> None:
    """Tell of the request that this thread answers next; None where nothing is known of it."""
    _thread.arrival = arrival


def arrived_at() -> float:
    """Return when the current request came; under a server that does not tell, now."""
    return _thread.arrival.at if _thread.arrival else time.monotonic()


def is_refused() -> bool:
    """Tell whether the current request is to be turned away."""
    return _thread.arrival is not None and _thread.arrival.refused
