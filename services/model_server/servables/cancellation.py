"""Cancellation: tells a request that its client no longer waits.

The idea is that of TensorFlow's CancellationManager (tensorflow/core/framework/cancellation.h).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar

from services.model_server.errors import ServingError
from services.serving_api.protos import error_codes_pb2


class Cancellation:
    """Ends the wait of one request, whose deadline has passed or whose client has hung up.

    Its methods may be called from any thread.
    """

    def __init__(self) -> None:
        self._cancelled: Future[None] = Future()

    def cancel(self) -> None:
        """Says, once, that the client no longer waits."""
        self._cancelled.set_result(None)

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Calls `callback` in the thread that cancels, or at once if that has happened."""
        self._cancelled.add_done_callback(lambda _: callback())

    @property
    def is_cancelled(self) -> bool:
        """True once the client no longer waits."""
        return self._cancelled.done()

    def check(self) -> None:
        """Refuses to go on in vain.

        Raises:
            ServingError: DEADLINE_EXCEEDED, the client no longer waits.
        """
        if self.is_cancelled:
            raise cancelled()

    @contextmanager
    def of_this_request(self) -> Iterator[None]:
        """Lets `current_cancellation` return this in the block, in this thread."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Cancellation] = ContextVar("cancellation")


def current_cancellation() -> Cancellation:
    """Returns that of the request at hand; work without a client, like warming up, has its own."""
    return _current.get(None) or Cancellation()


def cancelled() -> ServingError:
    """Makes the error of a request whose client no longer waits."""
    return ServingError(
        error_codes_pb2.DEADLINE_EXCEEDED,
        "the deadline passed, or the client hung up, before the model ran",
    )
