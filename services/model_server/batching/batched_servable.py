"""A servable that answers concurrent requests in batches, as `--enable_batching` asks for."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from services.model_server.batching.metrics import ServableBatchingMetrics
from services.model_server.batching.parameters import BatchingParameters
from services.model_server.batching.queue import BatchQueue, Task
from services.model_server.batching.scheduler import BatchScheduler
from services.model_server.batching.tensors import count_rows, merge, split
from services.model_server.servables.cancellation import current_cancellation
from services.model_server.servables.servable import Servable
from services.serving_api.arrays import Arrays
from services.serving_api.signatures import Signature, TensorSpec

MAX_QUEUES = 256
"""How many combinations of a signature and outputs have a queue that is kept while it is idle."""

_Outputs = dict[str, npt.NDArray[Any]]


class BatchingServable:
    """Another servable, batched; one queue for each signature and set of outputs.

    A signature with a tensor whose first dimension is fixed, or that has none, is not batched. A
    request fails by its own fault only: when a batch fails, each of its requests runs alone.
    """

    def __init__(
        self,
        servable: Servable,
        parameters: BatchingParameters,
        scheduler: BatchScheduler,
        metrics: ServableBatchingMetrics,
    ) -> None:
        """Wraps a servable.

        Args:
            servable: what runs the batches.
            parameters: how to group; `num_batch_threads` is the scheduler's affair.
            scheduler: shared by all servables.
            metrics: of this servable alone.
        """
        self.signature_defs = servable.signature_defs
        self.signatures = servable.signatures
        self._servable = servable
        self._parameters = parameters
        self._scheduler = scheduler
        self._batchable = {
            name for name, signature in self.signatures.items() if _is_batchable(signature)
        }
        self._queues: dict[tuple[str, frozenset[str]], BatchQueue] = {}
        self._metrics = metrics
        metrics.watch_queue(self._queue_depth)

    def run(self, signature_name: str, inputs: Arrays, output_names: Sequence[str]) -> _Outputs:
        """See `Servable.run`.

        Raises:
            ServingError: also INVALID_ARGUMENT for inputs that do not share their first dimension
                or have more rows than `max_batch_size`, UNAVAILABLE when the queue is full, and
                DEADLINE_EXCEEDED when the client no longer waits.
        """
        rows = count_rows(inputs) if signature_name in self._batchable else 0
        if not rows:
            return self._servable.run(signature_name, inputs, output_names)
        self._metrics.request(rows)
        tasks = self._split_large(inputs, rows)
        self._scheduler.run(self._queue(signature_name, output_names), tasks)
        answers = [self._answer(task, signature_name, output_names) for task in tasks]
        return {name: _join([answer[name] for answer in answers]) for name in output_names}

    def close(self) -> None:
        """See `Servable.close`."""
        self._metrics.close()
        self._servable.close()

    def _queue_depth(self) -> int:
        return sum(queue.num_enqueued_tasks for queue in list(self._queues.values()))

    def _split_large(self, inputs: Arrays, rows: int) -> list[Task]:
        limit = self._parameters.execution_limit
        if rows <= limit or not self._parameters.enable_large_batch_splitting:
            return [Task(inputs, rows)]
        return [
            Task(
                {name: array[start : start + limit] for name, array in inputs.items()},
                min(limit, rows - start),
            )
            for start in range(0, rows, limit)
        ]

    def _queue(self, signature_name: str, output_names: Sequence[str]) -> BatchQueue:
        key = (signature_name, frozenset(output_names))
        queue = self._queues.get(key)
        if queue is None:
            self._drop_idle_queues()
            process = partial(self._process, signature_name, tuple(output_names))
            # Two threads may both come here; the one whose queue is dropped loses nothing.
            queue = self._queues.setdefault(key, BatchQueue(self._parameters, process))
        return queue

    def _drop_idle_queues(self) -> None:
        """Keeps clients that ask for ever other outputs from filling the memory with queues."""
        if len(self._queues) >= MAX_QUEUES:
            for key, queue in list(self._queues.items()):
                # A thread that has just taken one goes on with it, alone.
                if not queue and not queue.running:
                    self._queues.pop(key, None)

    def _answer(self, task: Task, signature_name: str, output_names: Sequence[str]) -> Arrays:
        if task.error:
            raise task.error
        if task.outputs is None:
            current_cancellation().check()
            return self._servable.run(signature_name, task.inputs, output_names)
        return task.outputs

    def _process(
        self, signature_name: str, output_names: Sequence[str], tasks: Sequence[Task]
    ) -> None:
        now = time.monotonic()
        for task in tasks:
            self._metrics.waited(now - task.enqueued_at)
        for group in self._group(tasks):
            try:
                self._run_batch(signature_name, output_names, group)
            except Exception as error:
                # What was not alone stays unanswered, and then runs alone.
                if len(group) == 1:
                    group[0].error = error

    def _run_batch(
        self, signature_name: str, output_names: Sequence[str], tasks: Sequence[Task]
    ) -> None:
        sizes = [task.size for task in tasks]
        rows = sum(sizes)
        padded = self._parameters.padded_size(rows)
        self._metrics.batch(signature_name, rows, padded)
        inputs = merge(
            [task.inputs for task in tasks],
            padded,
            pad_inputs=self._parameters.pad_variable_length_inputs,
        )
        outputs = self._servable.run(signature_name, inputs, output_names)
        if padded == rows and len(tasks) == 1:
            tasks[0].outputs = outputs
            return
        for task, part in zip(tasks, split(outputs, sizes, padded), strict=True):
            task.outputs = part

    def _group(self, tasks: Sequence[Task]) -> Iterable[Sequence[Task]]:
        """Parts the tasks whose tensors cannot be concatenated."""
        if len(tasks) == 1:
            return [tasks]
        pad_inputs = self._parameters.pad_variable_length_inputs
        groups: dict[tuple[object, ...], list[Task]] = defaultdict(list)
        for task in tasks:
            shapes = [task.inputs[name].shape for name in tasks[0].inputs]
            key: Iterable[object] = (
                map(len, shapes) if pad_inputs else (shape[1:] for shape in shapes)
            )
            groups[tuple(key)].append(task)
        return groups.values()


def _is_batchable(signature: Signature) -> bool:
    tensors: list[TensorSpec] = [*signature.inputs.values(), *signature.outputs.values()]
    return bool(signature.inputs) and all(
        spec.shape is None or spec.shape[:1] == (None,) for spec in tensors
    )


def _join(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
