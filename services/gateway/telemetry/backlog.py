"""Backlog: work that requests leave to other threads, which never makes them wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

_Item = TypeVar("_Item")

log = structlog.get_logger()


class Backlog(Generic[_Item]):
    """A queue of limited length and memory, and the threads that work it off.

    The threads start with the first item, and end with the process.

    Args:
        work: does what an item asks for, in a thread.
        threads: number of threads.
        max_items: number of items that may wait.
        max_bytes: memory of all items, those that are worked on included.
    """

    def __init__(
        self, work: Callable[[_Item], None], *, threads: int, max_items: int, max_bytes: int
    ) -> None:
        self._work = work
        self._threads = threads
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._items: deque[tuple[_Item, int]] = deque()
        self._bytes = 0
        self._unfinished = 0
        self._is_started = False
        self._changed = threading.Condition()

    def offer(self, item: _Item, size: int) -> bool:
        """Adds an item of this many bytes and returns True; returns False if there is no space."""
        with self._changed:
            if len(self._items) >= self._max_items or self._bytes + size > self._max_bytes:
                return False
            self._items.append((item, size))
            self._bytes += size
            self._unfinished += 1
            if not self._is_started:
                self._is_started = True
                for _ in range(self._threads):
                    threading.Thread(target=self._run, daemon=True).start()
            self._changed.notify_all()
        return True

    def wait_until_done(self, seconds: float) -> bool:
        """Returns whether all items were worked off within this time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._unfinished, seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._items))
                item, size = self._items.popleft()
            try:
                self._work(item)
            except Exception:
                log.exception("unexpected error in the background")
            del item
            with self._changed:
                self._bytes -= size
                self._unfinished -= 1
                self._changed.notify_all()
