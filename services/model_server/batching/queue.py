"""The batches of one signature that wait, and the tasks in them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeAlias

import numpy.typing as npt

from services.model_server.batching.parameters import BatchingParameters
from services.model_server.errors import ServingError, invalid_argument
from services.serving_api.arrays import Arrays
from services.serving_api.protos import error_codes_pb2

Mailbox: TypeAlias = "SimpleQueue[Batch | None]"
"""Where a thread waits: for a batch that it is to run, or for None when a task was processed."""


@dataclass(eq=False)
class Task:
    """The inputs of one request and, later, its answer; a split request brings several tasks.

    Attributes:
        inputs: arrays that share their first dimension.
        size: that dimension.
        outputs: the answer; None after a batch that failed as a whole.
        error: why a task alone in its batch failed, or was withdrawn.
        enqueued_at: since when it waits, a monotonic time in seconds.
        batch: where it waits; None as soon as it runs.
        mailbox: where its thread waits.
    """

    inputs: Arrays
    size: int
    outputs: Mapping[str, npt.NDArray[Any]] | None = None
    error: Exception | None = None
    enqueued_at: float = field(init=False)
    batch: Batch | None = field(init=False, default=None)
    mailbox: Mailbox = field(init=False)


@dataclass(eq=False)
class Batch:
    """Tasks that run together; the thread of the first runs them."""

    queue: BatchQueue
    tasks: list[Task] = field(default_factory=list)
    size: int = 0

    def add(self, task: Task) -> None:
        """Appends a task."""
        self.tasks.append(task)
        self.size += task.size
        task.batch = self

    def remove(self, task: Task) -> None:
        """Takes a task out again."""
        self.tasks.remove(task)
        self.size -= task.size
        task.batch = None


class BatchQueue:
    """The waiting batches of one signature of one model version, the last still open."""

    def __init__(
        self, parameters: BatchingParameters, process: Callable[[Sequence[Task]], None]
    ) -> None:
        """Makes an empty queue.

        Args:
            parameters: the limits of batches and of the queue.
            process: answers the tasks of a batch; never raises.
        """
        self.process = process
        self.timeout = parameters.batch_timeout_micros / 1e6
        self.running = 0
        self.num_enqueued_tasks = 0
        self._batch_limit = parameters.execution_limit
        self._task_limit = parameters.max_batch_size
        self._max_batches = parameters.max_enqueued_batches
        self._batches: deque[Batch] = deque()

    def __bool__(self) -> bool:
        """Tells whether anything waits."""
        return bool(self._batches)

    def put(self, tasks: Sequence[Task], mailbox: Mailbox, now: float) -> None:
        """Adds all tasks of a request, or none.

        Raises:
            ServingError: INVALID_ARGUMENT, the request is larger than any batch may be;
                UNAVAILABLE, the queue is full.
        """
        self._check_room(sum(task.size for task in tasks))
        for task in tasks:
            task.mailbox, task.enqueued_at = mailbox, now
            if not self._batches or self._batches[-1].size + task.size > self._batch_limit:
                self._batches.append(Batch(self))
            self._batches[-1].add(task)
        self.num_enqueued_tasks += len(tasks)

    def take(self, now: float) -> Batch | None:
        """Removes and returns the oldest batch if it is closed, full or due.

        Without a timeout a batch is due when none of this queue runs: it takes whatever came
        meanwhile, which costs far less than several small batches side by side.
        """
        if not self._batches:
            return None
        oldest = self._batches[0]
        due = oldest.tasks[0].enqueued_at + self.timeout
        is_due = due <= now and not (self.running and not self.timeout)
        if not (is_due or len(self._batches) > 1 or oldest.size >= self._batch_limit):
            return None
        self.running += 1
        self.num_enqueued_tasks -= len(oldest.tasks)
        for task in oldest.tasks:
            task.batch = None
        return self._batches.popleft()

    def remove(self, tasks: Sequence[Task]) -> list[Task]:
        """Removes and returns those of the tasks that still wait."""
        removed = []
        for task in tasks:
            if batch := task.batch:
                batch.remove(task)
                removed.append(task)
                if not batch.tasks:
                    self._batches.remove(batch)
        self.num_enqueued_tasks -= len(removed)
        return removed

    def _check_room(self, size: int) -> None:
        if size > self._task_limit:
            raise invalid_argument(
                f"Task size {size} is larger than maximum input batch size {self._task_limit}"
            )
        room = self._batch_limit - self._batches[-1].size if self._batches else 0
        new_batches = -(-size // self._batch_limit) if size > room else 0
        if len(self._batches) + new_batches > self._max_batches:
            raise ServingError(
                error_codes_pb2.UNAVAILABLE,
                "The batch scheduling queue to which this task was submitted is full; currently "
                f"{len(self._batches)} batches enqueued and max_enqueued_batches is "
                f"{self._max_batches}: send again later",
            )
