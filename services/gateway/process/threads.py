"""Threads that answer requests; a few are reserved for probes and refusals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from services.gateway.process.connection import Connection
from services.gateway.process.http_request import HttpRequest
from services.gateway.request.environ import ARRIVAL, REFUSED
from services.gateway.request.probe_paths import PROBE_PATHS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_SPARE_THREADS = 2


@dataclass(slots=True, eq=False)
class Task:
    """A complete request that a thread answers.

    Attributes:
        conn: its connection.
        request: the request.
        arrival: when it was complete, by `time.monotonic`.
        is_refused: whether too many requests wait for a thread already.
    """

    conn: Connection
    request: HttpRequest
    arrival: float
    is_refused: bool

    def environ(self) -> WSGIEnvironment:
        """Returns the entries of a WSGI environ that differ between requests."""
        environ = self.request.environ()
        environ["REMOTE_ADDR"] = self.conn.client[0]
        environ["REMOTE_PORT"] = str(self.conn.client[1])
        environ[ARRIVAL] = self.arrival
        if self.is_refused:
            environ[REFUSED] = True
        return environ


class Threads:
    """The threads of a worker.

    Args:
        answer: answers a task, in a thread.
        count: number of threads; those in reserve come in addition.
        max_waiting: number of requests that may wait for a thread.
    """

    def __init__(self, answer: Callable[[Task], None], count: int, max_waiting: int) -> None:
        self._answer = answer
        self._most = count + max_waiting
        self._unfinished: set[Task] = set()
        self._tasks: SimpleQueue[Task] = SimpleQueue()
        self._spare_tasks: SimpleQueue[Task] = SimpleQueue()
        for tasks in [self._tasks] * count + [self._spare_tasks] * _SPARE_THREADS:
            threading.Thread(target=self._work, args=[tasks], daemon=True).start()

    def submit(self, conn: Connection, request: HttpRequest) -> None:
        """Passes a request to a thread; called by the main loop only."""
        is_probe = request.path in PROBE_PATHS
        is_refused = not is_probe and len(self._unfinished) >= self._most
        task = Task(conn, request, time.monotonic(), is_refused)
        if is_probe or is_refused:
            self._spare_tasks.put(task)
        else:
            self._unfinished.add(task)
            self._tasks.put(task)

    def _work(self, tasks: SimpleQueue[Task]) -> None:
        while True:
            task = tasks.get()
            self._answer(task)
            self._unfinished.discard(task)
