"""Groups waiting tasks into batches and lets their own threads run them.

TensorFlow's SharedBatchScheduler
(tensorflow/core/kernels/batching_util/shared_batch_scheduler.h) hands batches to a pool of
threads. Here the thread that brought the first task of a batch runs it for all: a lone request
never changes threads, and a waiting one has to be woken for its answer anyway.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from queue import Empty, SimpleQueue

from services.model_server.batching.queue import Batch, BatchQueue, Mailbox, Task
from services.model_server.servables.cancellation import cancelled, current_cancellation


class BatchScheduler:
    """Decides which batch runs next; one for all models, fair between their queues."""

    def __init__(self, num_batch_threads: int) -> None:
        """Makes a scheduler that lets this many batches run at once."""
        self._lock = threading.Lock()
        self._free = num_batch_threads
        self._waiting: deque[BatchQueue] = deque()

    def run(self, queue: BatchQueue, tasks: Sequence[Task]) -> None:
        """Returns once every task was processed, by this thread or another's, or withdrawn.

        Raises:
            ServingError: see `BatchQueue.put`; DEADLINE_EXCEEDED, the client no longer waits.
        """
        cancellation = current_cancellation()
        cancellation.check()
        mailbox: Mailbox = SimpleQueue()
        now = time.monotonic()
        with self._lock:
            was_empty = not queue
            queue.put(tasks, mailbox, now)
            if was_empty:
                self._waiting.append(queue)
            self._hand_out()
        cancellation.on_cancel(partial(self._withdraw, queue, tasks))
        unprocessed = len(tasks)
        while unprocessed:
            batch = self._receive(mailbox, now + queue.timeout if queue.timeout else None)
            if batch:
                self._process(batch)
            else:
                unprocessed -= 1

    def _receive(self, mailbox: Mailbox, due: float | None) -> Batch | None:
        """Returns a batch that this thread is to run, or None for each task that was processed."""
        if due is not None:
            try:
                return mailbox.get(timeout=max(0, due - time.monotonic()))
            except Empty:
                with self._lock:
                    self._hand_out()
        return mailbox.get()

    def _process(self, batch: Batch) -> None:
        try:
            batch.queue.process(batch.tasks)
        finally:
            with self._lock:
                self._free += 1
                batch.queue.running -= 1
                # First of all: the next batch computes while this one's answers are sent.
                self._hand_out()
            for task in batch.tasks:
                task.mailbox.put(None)

    def _withdraw(self, queue: BatchQueue, tasks: Sequence[Task]) -> None:
        """Lets a cancelled request wait no longer; what of it runs already is processed."""
        if not any(task.batch for task in tasks):
            return  # Every request ends here, without the lock.
        with self._lock:
            withdrawn = queue.remove(tasks)
            if withdrawn and not queue:
                self._waiting.remove(queue)
        for task in withdrawn:
            task.error = cancelled()
            task.mailbox.put(None)

    def _hand_out(self) -> None:
        now = time.monotonic()
        while self._free and (batch := self._next_batch(now)):
            self._free -= 1
            batch.tasks[0].mailbox.put(batch)

    def _next_batch(self, now: float) -> Batch | None:
        for _ in range(len(self._waiting)):
            queue = self._waiting.popleft()
            batch = queue.take(now)
            if queue:
                self._waiting.append(queue)
            if batch:
                return batch
        return None
