"""What is refused, so that the rest is answered in time: what is too much, and what takes long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from services.gateway.inference.limits import is_expensive
from services.gateway.request.arrival import is_refused
from services.gateway.request.errors import NotReady


def turn_away(app: Flask) -> None:
    """Let an application answer 503 to requests for which the server has no thread."""

    @app.before_request
    def refuse() -> None:
        if is_refused():
            raise NotReady(
                "as many requests as may wait here already do: try again in a moment, or run more "
                "gateways"
            )


class Lanes:
    """A narrow lane for the calls that take long, and an open one for all others.

    Args:
        threads: of this worker.
        max_expensive: how many explanations, visualizations and generations may run at once, at
            most half of the threads.
    """

    def __init__(self, threads: int, max_expensive: int) -> None:
        self._narrow = threading.Semaphore(min(max_expensive, max(threads // 2, 1)))

    @contextmanager
    def enter(self, signature_name: str) -> Iterator[None]:
        """Hold a place while a signature runs.

        Raises:
            NotReady: there is none.
        """
        if not is_expensive(signature_name):
            yield
            return
        if not self._narrow.acquire(blocking=False):
            raise NotReady(
                "as many explanations, visualizations and generations as may run here already do: "
                "try again in a moment, or run more gateways"
            )
        try:
            yield
        finally:
            self._narrow.release()
