"""Lets requests for a configured model wait until its first load has ended.

TensorFlow Serving opens its ports after the first load of all models, and its clients take an open
port for readiness. This server opens them at once, so that requests which come early wait here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from services.model_server.errors import ServingError
from services.model_server.servables.cancellation import current_cancellation
from services.serving_api.protos import error_codes_pb2


class FirstLoads:
    """Holds requests until a model's first load has ended; call its methods under the lock.

    Args:
        changed: the manager's condition, notified when a load has ended.
        max_waiting: how many requests may wait, since each one holds a thread.
    """

    def __init__(self, changed: threading.Condition, max_waiting: int) -> None:
        self._changed = changed
        self._max_waiting = max_waiting
        self._waiting = 0
        self._is_stopped = False

    def wait(self, name: str, has_ended: Callable[[], bool]) -> None:
        """Waits until the first load of a model has ended, the request's own deadline at most.

        Raises:
            ServingError: UNAVAILABLE where too many requests wait already or the server stops;
                DEADLINE_EXCEEDED where the request was cancelled meanwhile.
        """
        if has_ended():
            return
        if self._waiting >= self._max_waiting or self._is_stopped:
            raise _still_loading(name)
        cancellation = current_cancellation()
        cancellation.on_cancel(self._wake)
        self._waiting += 1
        try:
            self._changed.wait_for(
                lambda: has_ended() or cancellation.is_cancelled or self._is_stopped
            )
        finally:
            self._waiting -= 1
        cancellation.check()
        if not has_ended():
            raise _still_loading(name)

    def stop(self) -> None:
        """Ends every wait, since the server stops."""
        self._is_stopped = True
        self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _still_loading(name: str) -> ServingError:
    return ServingError(
        error_codes_pb2.UNAVAILABLE, f"model {name} is still loading: try again in a moment"
    )
