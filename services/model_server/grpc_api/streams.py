"""Streams that stay open: they have threads of their own, of which there is a limited number."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import grpc

Stream: TypeAlias = Callable[[Any, grpc.ServicerContext], Iterator[Any]]


class StreamLimit:
    """Limits the open streams of a service, so that they never take the threads of requests."""

    def __init__(self, service: str, max_open: int) -> None:
        self._service = service
        self._max_open = max_open
        self._open: set[grpc.ServicerContext] = set()
        self._lock = threading.Lock()
        # The spare thread refuses the streams that are too many.
        self._threads = ThreadPoolExecutor(max_open + 1, thread_name_prefix=f"grpc-{service}")

    def apply_to(self, method: Stream) -> Stream:
        """Returns a servicer's method with this limit: beyond it, RESOURCE_EXHAUSTED."""

        @functools.wraps(method)
        def limited(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with self._lock:
                is_full = len(self._open) >= self._max_open
                if not is_full:
                    self._open.add(context)
            if is_full:
                context.abort(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"{self._max_open} {self._service} streams are open, the maximum: end one",
                )
            try:
                yield from method(request, context)
            finally:
                with self._lock:
                    self._open.discard(context)

        limited.experimental_thread_pool = self._threads  # type: ignore[attr-defined]
        return limited

    def end_all(self) -> None:
        """Ends the streams that are open."""
        with self._lock:
            contexts = list(self._open)
        for context in contexts:
            context.cancel()
