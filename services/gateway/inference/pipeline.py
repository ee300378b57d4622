"""The pipeline: every call to a model goes through `Pipeline.run`.

checks ► answer cache ► limit for expensive signatures ► batcher ► model server
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from services.gateway.inference.limits import ExpensiveCalls, check_amount
from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest, ModelServerProblem
from services.gateway.upstream.answer_cache import AnswerCache, cache_key
from services.gateway.upstream.batching import Batcher
from services.gateway.upstream.catalog import Catalog
from services.gateway.upstream.model_server import ModelRef, Prediction
from services.serving_api.arrays import Arrays
from services.serving_api.signatures import Signature, TensorSpec

_MAX_RANK_LEFT_TO_GRAPH = 2
"""Up to this rank the graph checks shapes: TensorFlow Serving answers clients that send [N] to an
input of [N, 1]. With more dimensions, a wrong shape may abort the model server."""

_Answer = TypeVar("_Answer")


class Pipeline:
    """Runs signatures.

    Args:
        catalog: checks whether a model that was not found is loading.
        batcher: calls the model server.
        cache: the answer cache; None if it is turned off.
        expensive_calls: concurrency limit for expensive signatures.
        max_answer_numbers: maximum count of numbers in the answer to one request.
        observe: called with each call that an arm of a split has answered, its inputs and outputs,
            and the seconds that it took.

    Attributes:
        max_rows: number of rows that the callers of `many_calls` should send at most in one call.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        catalog: Catalog,
        batcher: Batcher,
        cache: AnswerCache | None,
        expensive_calls: ExpensiveCalls,
        max_answer_numbers: int,
        observe: Callable[[ResolvedRequest, Arrays, Arrays, float], None],
    ) -> None:
        self._catalog = catalog
        self._batcher = batcher
        self._cache = cache
        self._expensive_calls = expensive_calls
        self._max_answer_numbers = max_answer_numbers
        self._observe = observe
        self.max_rows = batcher.max_rows

    def run(self, request: ResolvedRequest, inputs: Arrays) -> Prediction:
        """Runs a signature before the request's deadline.

        Raises:
            ContentTooLarge: the request exceeds a limit on one call.
            DeadlineExceeded: the deadline has passed.
            InvalidRequest: an input has a wrong shape.
            ModelServerProblem: the model server rejected the call, failed, or cannot be reached.
            NotReady: the model is still loading, or too many requests are in flight.
        """
        self._check(request, inputs)
        start = time.perf_counter()
        if self._cache is None:
            prediction = self._ask(request, inputs)
        else:
            prediction = self._ask_once(self._cache, request, inputs)
        request.context.version = str(prediction.version)
        if request.context.arm is not None:
            seconds = time.perf_counter() - start
            self._observe(request, inputs, prediction.outputs, seconds)
        return prediction

    @contextmanager
    def many_calls(
        self, request: ResolvedRequest, inputs: Arrays
    ) -> Iterator[Callable[[ResolvedRequest, Arrays], Prediction]]:
        """Holds one slot for expensive signatures during many calls, which are not cached.

        Args:
            request: the request that the calls are for.
            inputs: its inputs; the inputs of the calls are variants of them.

        Returns:
            A context manager that gives `run` for the calls.

        Raises:
            Problem: as `run` raises it.
        """
        self._check(request, inputs)
        with self._expensive_calls.slot():
            yield self._run_in_slot

    def _run_in_slot(self, request: ResolvedRequest, inputs: Arrays) -> Prediction:
        prediction = self._predict(request, inputs)
        request.context.version = str(prediction.version)
        return prediction

    def _check(self, request: ResolvedRequest, inputs: Arrays) -> None:
        _check_ranks(inputs, request.signature)
        if request.kind and (request.kind.expensive or request.kind.large_answer):
            check_amount(request, inputs, self._max_answer_numbers)

    def _ask_once(self, cache: AnswerCache, request: ResolvedRequest, inputs: Arrays) -> Prediction:
        version = request.info.version
        question = (request.model.name, version, request.signature_name, inputs)
        key = cache_key(*question, request.outputs)
        found = cache.find(key)
        if found is not None:
            return found
        prediction = self._ask(request, inputs)
        if prediction.version == version:
            cache.keep(key, prediction)
        return prediction

    def _ask(self, request: ResolvedRequest, inputs: Arrays) -> Prediction:
        if request.kind and request.kind.expensive:
            with self._expensive_calls.slot():
                return self._predict(request, inputs)
        return self._predict(request, inputs)

    def _predict(self, request: ResolvedRequest, inputs: Arrays) -> Prediction:
        question = (request.signature_name, request.signature, inputs)
        prediction = self.call_when_available(
            partial(self._batcher.predict, outputs=request.outputs),
            request.model,
            *question,
            context=request.context,
        )
        self._catalog.forget_if_replaced(request.model, prediction.version)
        return prediction

    def call_when_available(
        self,
        method: Callable[..., _Answer],
        model: ModelRef,
        *arguments: object,
        context: RequestContext,
    ) -> _Answer:
        """Calls a method of the model server; repeats it if the model has just become available.

        Raises:
            NotReady: the model is still loading.
            Problem: as the method raises it.
        """
        try:
            return method(model, *arguments, context)
        except ModelServerProblem as problem:
            self._catalog.check_not_loading(model, problem, context)
        return method(model, *arguments, context)


def check_shapes(inputs: Arrays, signature: Signature) -> None:
    """Checks that inputs have the shapes that a signature takes.

    Raises:
        InvalidRequest: an input has another shape.
    """
    for name, array in inputs.items():
        _check_shape(name, array.shape, signature.inputs[name])


def _check_ranks(inputs: Arrays, signature: Signature) -> None:
    for name, array in inputs.items():
        spec = signature.inputs[name]
        if max(array.ndim, len(spec.shape or ())) > _MAX_RANK_LEFT_TO_GRAPH:
            _check_shape(name, array.shape, spec)


def _check_shape(name: str, shape: tuple[int, ...], spec: TensorSpec) -> None:
    if not spec.accepts(shape):
        raise InvalidRequest(f"input {name!r} has the shape {list(shape)}, expected {spec}")
