"""Batching: concurrent requests for the same signature share one call to the model server.

A batch consists of the requests that wait while the previous call runs, so a single request is not
delayed. A request that finds no call in flight makes one at once. When that call ends, one of the
waiting requests makes the next, for itself and the others: the one with the latest deadline, so
that the others can give up at their own deadlines without ending the call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, pairwise
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, NoReturn

import grpc
import numpy as np
from cachetools import LRUCache

from services.gateway.request.context import RequestContext
from services.gateway.request.errors import DeadlineExceeded, ModelServerProblem
from services.gateway.telemetry.metrics import BATCH_SIZE
from services.gateway.upstream.model_server import ModelRef, ModelServer, Prediction
from services.serving_api.arrays import Arrays, content_bytes
from services.serving_api.signatures import Signature

MAX_INDIVISIBLE = 1024
"""Maximum number of remembered signatures that cannot be batched."""

_MAX_SHARED_BYTES = 2**20
"""Larger inputs are sent alone: copying them into a batch would cost more than the call saved."""

_SAME_FOR_ALL = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.NOT_FOUND}
"""Status codes that end all requests of a batch: sent alone, each would get the same code. After
UNAVAILABLE, calls are not repeated also because one of them may have crashed the server."""


class _BatchKey(NamedTuple):
    """Identifies the requests that can share a call.

    Attributes:
        model: the model.
        signature_name: the signature.
        form: name, dtype and row shape of each input.
        outputs: the outputs to compute; all if empty.
    """

    model: ModelRef
    signature_name: str
    form: frozenset[tuple[str, np.dtype[Any], tuple[int, ...]]]
    outputs: tuple[str, ...]


@dataclass(eq=False)
class _Request:
    """One request, whose thread waits for its next step."""

    inputs: Arrays
    rows: int
    context: RequestContext
    next_step: SimpleQueue[Callable[[], Prediction]] = field(default_factory=SimpleQueue)

    def time_left(self) -> float:
        return max(self.context.deadline - time.monotonic(), 0.0)


@dataclass
class _Queue:
    """The calls in flight for one key, and the requests that wait for the next."""

    calls: int = 0
    waiting: list[_Request] = field(default_factory=list)

    def next_batch(self, rows: int) -> list[_Request]:
        """Returns the first waiting requests that together have at most `rows` rows."""
        ends = accumulate(request.rows for request in self.waiting)
        return self.waiting[: sum(end <= rows for end in ends)]


class Batcher:
    """Lets requests share calls.

    As for TensorFlow Serving's batching, the rows of a batch must not depend on each other.

    Args:
        model_server: client that makes the calls.
        max_rows: size of the largest batch, in rows.
        max_calls: maximum number of calls in flight for the same key.

    Attributes:
        max_rows: size of the largest batch, in rows.
    """

    def __init__(self, model_server: ModelServer, max_rows: int, max_calls: int) -> None:
        self._model_server = model_server
        self.max_rows = max_rows
        self._max_calls = max_calls
        self._lock = threading.Lock()
        self._queues: dict[_BatchKey, _Queue] = {}
        # Signatures whose outputs did not have one row per row of the inputs.
        self._indivisible: LRUCache[tuple[ModelRef, str], bool] = LRUCache(MAX_INDIVISIBLE)

    def predict(  # noqa: PLR0913, PLR0917
        self,
        model: ModelRef,
        signature_name: str,
        signature: Signature,
        inputs: Arrays,
        context: RequestContext,
        outputs: tuple[str, ...] = (),
    ) -> Prediction:
        """Runs a signature, in one call with other requests if possible.

        Args:
            model: the model.
            signature_name: name of the signature.
            signature: its inputs and outputs.
            inputs: the inputs.
            context: the request.
            outputs: the outputs to compute; all if empty.

        Raises:
            Problem: as `ModelServer.predict` does.
        """
        rows = _rows_to_share(signature, inputs)
        if not 0 < rows < self.max_rows or (model, signature_name) in self._indivisible:
            return self._model_server.predict(model, signature_name, inputs, context, outputs)
        form = frozenset((name, value.dtype, value.shape[1:]) for name, value in inputs.items())
        key = _BatchKey(model, signature_name, form, outputs)
        request = _Request(inputs, rows, context)
        if self._may_call(key, request):
            return self._lead(key, request)
        return self._wait(key, request)

    @property
    def waiting_requests(self) -> int:
        """Number of requests that wait for a call in flight to end."""
        with self._lock:
            return sum(len(queue.waiting) for queue in self._queues.values())

    def _may_call(self, key: _BatchKey, request: _Request) -> bool:
        """Returns whether the request may make a call at once; if not, queues it."""
        with self._lock:
            queue = self._queues.setdefault(key, _Queue())
            if queue.calls == self._max_calls:
                queue.waiting.append(request)
                return False
            queue.calls += 1
            return True

    def _wait(self, key: _BatchKey, request: _Request) -> Prediction:
        try:
            return request.next_step.get(timeout=request.time_left())()
        except Empty:
            self._withdraw(key, request)
        # Just before, it may have been chosen to make the next call.
        if not request.next_step.empty():
            return request.next_step.get()()
        raise DeadlineExceeded

    def _withdraw(self, key: _BatchKey, request: _Request) -> None:
        with self._lock:
            queue = self._queues.get(key)
            if queue and request in queue.waiting:
                queue.waiting.remove(request)

    def _lead(self, key: _BatchKey, request: _Request) -> Prediction:
        """Makes a call for a request and the waiting ones, and gives each its answer."""
        if not request.time_left():
            self._hand_over(key)
            raise DeadlineExceeded
        batch = [request, *self._take(key, self.max_rows - request.rows)]
        if len(batch) == 1:
            try:
                return self._ask(key, request)
            finally:
                self._hand_over(key)
        steps = self._steps(key, batch)
        self._hand_over(key)
        for other, step in zip(batch[1:], steps[1:], strict=True):
            other.next_step.put(step)
        return steps[0]()

    def _steps(
        self, key: _BatchKey, batch: Sequence[_Request]
    ) -> Sequence[Callable[[], Prediction]]:
        """Makes one call for a batch, and returns the next step of each request."""
        try:
            return [partial(_identity, answer) for answer in self._share(key, batch)]
        except (DeadlineExceeded, ModelServerProblem) as problem:
            if isinstance(problem, ModelServerProblem) and problem.grpc_code in _SAME_FOR_ALL:
                return [partial(_fail, problem)] * len(batch)
            return [partial(self._ask, key, each) for each in batch]
        except Exception as error:
            return [partial(_fail, error)] * len(batch)

    def _take(self, key: _BatchKey, rows: int) -> list[_Request]:
        """Removes from the queue the requests that fit into `rows` rows, and returns them."""
        with self._lock:
            queue = self._queues[key]
            taken = queue.next_batch(rows)
            del queue.waiting[: len(taken)]
            return taken

    def _hand_over(self, key: _BatchKey) -> None:
        """Lets a waiting request make the next call: of those that fit, the latest deadline."""
        with self._lock:
            queue = self._queues[key]
            if queue.waiting:
                leader = max(queue.next_batch(self.max_rows), key=_deadline)
                queue.waiting.remove(leader)
                leader.next_step.put(partial(self._lead, key, leader))
                return
            queue.calls -= 1
            if not queue.calls:
                del self._queues[key]

    def _share(self, key: _BatchKey, batch: Sequence[_Request]) -> list[Prediction]:
        """Makes one call for a batch, in the context of its first request.

        Raises:
            Problem: as `ModelServer.predict` does; status 500 if the outputs do not have one row
                per row of the inputs.
        """
        rows = [request.rows for request in batch]
        inputs = {
            name: np.concatenate([request.inputs[name] for request in batch])
            for name in batch[0].inputs
        }
        outputs, version = self._predict(key, inputs, sum(rows), batch[0].context)
        if any(output.shape[:1] != (sum(rows),) for output in outputs.values()):
            with self._lock:
                self._indivisible[key.model, key.signature_name] = True
            raise ModelServerProblem(
                grpc.StatusCode.INTERNAL, "the outputs do not have one row per row of the inputs"
            )
        return [
            Prediction({name: output[start:end] for name, output in outputs.items()}, version)
            for start, end in pairwise(accumulate(rows, initial=0))
        ]

    def _ask(self, key: _BatchKey, request: _Request) -> Prediction:
        if not request.time_left():
            raise DeadlineExceeded
        return self._predict(key, request.inputs, request.rows, request.context)

    def _predict(
        self, key: _BatchKey, inputs: Arrays, rows: int, context: RequestContext
    ) -> Prediction:
        BATCH_SIZE.labels(key.model.name, key.signature_name).observe(rows)
        call = self._model_server.predict
        return call(key.model, key.signature_name, inputs, context, key.outputs)


def _rows_to_share(signature: Signature, inputs: Arrays) -> int:
    """Returns the number of rows if the inputs may share a call, else 0."""
    if inputs.keys() != signature.inputs.keys() or not signature.has_free_rows:
        return 0
    if not all(signature.inputs[name].accepts(value.shape) for name, value in inputs.items()):
        return 0
    if content_bytes(inputs) > _MAX_SHARED_BYTES:
        return 0
    rows = {len(value) for value in inputs.values()}
    return rows.pop() if len(rows) == 1 else 0


def _deadline(request: _Request) -> float:
    return request.context.deadline


def _identity(prediction: Prediction) -> Prediction:
    return prediction


def _fail(error: Exception) -> NoReturn:
    raise error
