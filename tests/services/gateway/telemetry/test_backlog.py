from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from services.gateway.telemetry.backlog import Backlog

TIMEOUT = 30


class Worker:
    """Works when it is let, and counts how much is worked on at a time."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.done: list[int] = []
        self.most = 0
        self._running = 0
        self._lock = threading.Lock()

    def work(self, item: int) -> None:
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
        self.begun.release()
        assert self.go.wait(TIMEOUT)
        with self._lock:
            self._running -= 1
            self.done.append(item)
        if item < 0:
            raise ValueError("negative")


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.go.set()


def backlog(worker: Worker, threads: int = 1, items: int = 3, size: int = 100) -> Backlog[int]:
    return Backlog(worker.work, threads=threads, max_items=items, max_bytes=size)


def begin(worker: Worker, queue: Backlog[int], count: int) -> None:
    for item in range(count):
        assert queue.offer(item, 1)
    for _ in range(count):
        assert worker.begun.acquire(timeout=TIMEOUT)


def test_a_full_one_refuses_and_all_that_it_took_is_done_in_order(worker):
    queue = backlog(worker)
    begin(worker, queue, 1)
    assert [queue.offer(item, 1) for item in (1, 2, 3, 4)] == [True, True, True, False]
    assert not queue.wait_until_done(0.01)
    worker.go.set()
    assert queue.wait_until_done(TIMEOUT)
    assert worker.done == [0, 1, 2, 3]


def test_what_is_worked_on_counts_as_memory(worker):
    queue = backlog(worker)
    begin(worker, queue, 1)
    assert not queue.offer(1, 100)
    assert queue.offer(1, 99)
    worker.go.set()
    assert queue.wait_until_done(TIMEOUT)
    assert queue.offer(2, 100)


def test_no_more_than_its_threads_work_at_a_time(worker):
    queue = backlog(worker, threads=2, items=10)
    begin(worker, queue, 2)
    assert all(queue.offer(item, 1) for item in range(8))
    worker.go.set()
    assert queue.wait_until_done(TIMEOUT)
    assert worker.most == 2


def test_an_error_ends_neither_the_thread_nor_the_work(worker):
    queue = backlog(worker)
    worker.go.set()
    with capture_logs() as lines:
        assert queue.offer(-1, 1)
        assert queue.wait_until_done(TIMEOUT)
    assert queue.offer(1, 1)
    assert queue.wait_until_done(TIMEOUT)
    assert worker.done == [-1, 1]
    assert [line["event"] for line in lines] == ["unexpected error in the background"]
