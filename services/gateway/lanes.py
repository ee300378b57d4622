"""How many calls to the model server one worker may have under way; what is more is refused.

Refusing keeps threads free for the probes and for short requests while the model server is slow,
and what waits in memory small.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from services.gateway.errors import NotReady

_EXPENSIVE = ("saliency_", "feature_visualization_", "generate")
"""Signatures that run a model many times for one answer, by how their names start."""

_MAX_SPARE_THREADS = 4


class Lanes:
    """One lane for all calls, and within it a narrower one for those that take long.

    Args:
        threads: of this worker; all calls together leave a few of them free.
        max_expensive: how many explanations, visualizations and generations may run at once, at
            most half of the threads.
    """

    def __init__(self, threads: int, max_expensive: int) -> None:
        self._all = threading.Semaphore(threads - min(_MAX_SPARE_THREADS, threads // 8))
        self._expensive = threading.Semaphore(min(max_expensive, max(threads // 2, 1)))

    @contextmanager
    def enter(self, signature_name: str) -> Iterator[None]:
        """Hold a place while a signature runs.

        Raises:
            NotReady: there is none.
        """
        with _place(self._all, "as many requests as this gateway can run are under way"):
            if signature_name.startswith(_EXPENSIVE):
                with _place(self._expensive, "as many explanations or images as may are under way"):
                    yield
            else:
                yield


@contextmanager
def _place(lane: threading.Semaphore, problem: str) -> Iterator[None]:
    if not lane.acquire(blocking=False):
        raise NotReady(f"{problem}: try again in a moment, or run more gateways")
    try:
        yield
    finally:
        lane.release()
