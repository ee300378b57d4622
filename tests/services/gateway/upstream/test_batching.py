from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from prometheus_client import REGISTRY

from services.gateway.request.context import RequestContext
from services.gateway.request.errors import DeadlineExceeded, ModelServerProblem
from services.gateway.upstream.batching import Batcher
from services.gateway.upstream.model_server import ModelRef, Prediction
from services.serving_api.dtypes import data_type_of
from services.serving_api.signatures import Signature, TensorSpec
from tests.processes import wait_until

MODEL = ModelRef("batched")
FLOAT = data_type_of(np.dtype(np.float32))
ROWS = TensorSpec(FLOAT, (None,))
DOUBLE = Signature({"x": ROWS}, {"y": ROWS}, "")
PATIENCE = 30


class Upstream:
    """A model server that doubles its inputs, one call at a time, each when the test allows it."""

    def __init__(self) -> None:
        self.calls: list[np.ndarray] = []
        self.timeouts: list[float] = []
        self.answer: Callable[[np.ndarray], np.ndarray] = lambda x: 2 * x
        self.allowed = threading.Semaphore(0)

    def predict(self, model, signature_name, inputs, context, outputs=()) -> Prediction:
        self.calls.append(inputs["x"])
        timeout = max(context.deadline - time.monotonic(), 0)
        self.timeouts.append(timeout)
        if not self.allowed.acquire(timeout=timeout):
            raise DeadlineExceeded
        return Prediction({"y": self.answer(inputs["x"])}, 7)

    def let(self, calls: int = 1000) -> None:
        self.allowed.release(calls)


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
def batcher(upstream) -> Batcher:
    return Batcher(upstream, max_rows=8, max_calls=1)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as executor:
        yield executor


@pytest.fixture
def ask(batcher, pool):
    def submit(*values: float, signature=DOUBLE, timeout=PATIENCE, name="s") -> Future[Prediction]:
        inputs = {"x": np.array(values, np.float32)}
        context = RequestContext.lasting(timeout)
        return pool.submit(batcher.predict, MODEL, name, signature, inputs, context)

    return submit


@pytest.fixture
def waiting(batcher):
    """Wait until as many requests are queued."""

    def wait(count: int) -> None:
        def queued() -> int:
            return batcher.waiting_requests

        wait_until(lambda: queued() == count, PATIENCE, f"{count} wait")

    return wait


@pytest.fixture
def one_under_way(ask, upstream) -> Future[Prediction]:
    first = ask(0)
    wait_until(lambda: len(upstream.calls) == 1, PATIENCE, "the first call")
    return first


def values(future: Future[Prediction]) -> list[float]:
    return future.result(PATIENCE).outputs["y"].tolist()


def test_a_lone_request_is_asked_at_once(ask, upstream):
    upstream.let()
    prediction = ask(1, 2).result(PATIENCE)
    assert prediction.outputs["y"].tolist() == [2, 4]
    assert prediction.version == 7


def test_waiting_requests_share_the_next_call_and_each_gets_its_own_rows(
    ask, upstream, waiting, one_under_way
):
    others = []
    for number in range(1, 4):
        others.append(ask(number, 10 * number))
        waiting(number)
    upstream.let()
    assert values(one_under_way) == [0]
    assert [values(other) for other in others] == [[2, 20], [4, 40], [6, 60]]
    # The last to come has the most time, so that it asks.
    assert [call.tolist() for call in upstream.calls] == [[0], [3, 30, 1, 10, 2, 20]]


def test_a_batch_is_no_larger_than_allowed(ask, upstream, waiting, one_under_way):
    others = [ask(*[number] * 3) for number in range(1, 6)]
    waiting(5)
    upstream.let()
    assert [values(other) for other in others] == [[2 * n] * 3 for n in range(1, 6)]
    assert [len(call) for call in upstream.calls] == [1, 6, 6, 3]


def test_finished_requests_leave_no_state(ask, upstream, batcher):
    upstream.let()
    for future in [ask(number) for number in range(20)]:
        future.result(PATIENCE)
    assert batcher._queues == {}


def test_more_calls_at_once_if_allowed(upstream, pool):
    batcher = Batcher(upstream, max_rows=8, max_calls=2)
    inputs = {"x": np.zeros(1, np.float32)}
    question = (MODEL, "s", DOUBLE, inputs, RequestContext.lasting(PATIENCE))
    futures = [pool.submit(batcher.predict, *question) for _ in range(4)]
    wait_until(lambda: len(upstream.calls) == 2, PATIENCE, "two calls")
    wait_until(
        lambda: [len(queue.waiting) for queue in batcher._queues.values()] == [2], PATIENCE, "two"
    )
    upstream.let()
    for future in futures:
        assert values(future) == [0]
    assert batcher._queues == {}


@pytest.mark.parametrize(
    ("signature", "count"),
    [
        (Signature({"x": ROWS}, {"y": TensorSpec(FLOAT, ())}, ""), 1),
        (Signature({"x": ROWS}, {"y": TensorSpec(FLOAT, (3,))}, ""), 1),
        (Signature({"x": ROWS}, {"y": TensorSpec(FLOAT, None)}, ""), 1),
        (Signature({"x": TensorSpec(FLOAT, (2,))}, {"y": ROWS}, ""), 2),
        (DOUBLE, 0),
        (DOUBLE, 8),
        (DOUBLE, 300_000),
    ],
)
def test_inputs_that_cannot_be_batched_are_sent_alone(
    ask, upstream, one_under_way, signature, count
):
    alone = [ask(*[1.0] * count, signature=signature) for _ in range(2)]
    wait_until(lambda: len(upstream.calls) == 3, PATIENCE, "two calls beside the first")
    upstream.let()
    for future in [one_under_way, *alone]:
        future.result(PATIENCE)


def test_large_strings_are_sent_alone(batcher, pool, upstream, one_under_way):
    string = TensorSpec(data_type_of(np.dtype(np.object_)), (None,))
    signature = Signature({"x": string}, {"y": string}, "")
    upstream.answer = lambda x: x
    files = {"x": np.array([b"\xff" * 2**21], np.object_)}
    for _ in range(2):
        context = RequestContext.lasting(PATIENCE)
        pool.submit(batcher.predict, MODEL, "s", signature, files, context)
    wait_until(lambda: len(upstream.calls) == 3, PATIENCE, "two calls beside the first")
    upstream.let()
    one_under_way.result(PATIENCE)


def test_requests_of_different_signatures_dtypes_or_outputs_are_not_mixed(
    ask, batcher, pool, upstream, one_under_way
):
    other = ask(1, name="other")
    inputs, context = {"x": np.zeros(1, np.float64)}, RequestContext.lasting(PATIENCE)
    double = pool.submit(batcher.predict, MODEL, "s", DOUBLE, inputs, context)
    inputs = {"x": np.ones(1, np.float32)}
    filtered = pool.submit(batcher.predict, MODEL, "s", DOUBLE, inputs, context, ("y",))
    wait_until(lambda: len(upstream.calls) == 4, PATIENCE, "four calls")
    upstream.let()
    assert values(other) == [2]
    assert values(double) == [0]
    assert values(filtered) == [2]
    assert values(one_under_way) == [0]


def refuse_negative(x: np.ndarray) -> np.ndarray:
    if (x < 0).any():
        raise ModelServerProblem(grpc.StatusCode.INVALID_ARGUMENT, "negative")
    return 2 * x


def test_a_bad_input_fails_alone(ask, upstream, waiting, one_under_way):
    upstream.answer = refuse_negative
    good, bad, fine = ask(1), ask(-1), ask(3)
    waiting(3)
    upstream.let()
    assert (values(good), values(fine)) == ([2], [6])
    with pytest.raises(ModelServerProblem, match="negative"):
        bad.result(PATIENCE)
    assert len(upstream.calls) == 5


def test_an_unavailable_server_is_not_called_again_for_each_request(
    ask, upstream, waiting, one_under_way
):
    def refuse(_: np.ndarray) -> np.ndarray:
        raise ModelServerProblem(grpc.StatusCode.UNAVAILABLE, "away")

    upstream.answer = refuse
    others = [ask(1), ask(2)]
    waiting(2)
    upstream.let()
    for future in [one_under_way, *others]:
        with pytest.raises(ModelServerProblem, match="away"):
            future.result(PATIENCE)
    assert len(upstream.calls) == 2


def test_an_unexpected_error_reaches_every_request_and_blocks_none(
    ask, upstream, waiting, one_under_way
):
    def fail(_: np.ndarray) -> np.ndarray:
        raise ZeroDivisionError

    upstream.answer = fail
    others = [ask(1), ask(2)]
    waiting(2)
    upstream.let()
    for future in [one_under_way, *others]:
        with pytest.raises(ZeroDivisionError):
            future.result(PATIENCE)
    upstream.answer = lambda x: 2 * x
    assert values(ask(5)) == [10]


def test_signatures_without_one_output_row_per_input_row_are_no_longer_batched(
    ask, upstream, waiting, one_under_way
):
    upstream.answer = lambda x: x[:1]
    others = [ask(1), ask(2)]
    waiting(2)
    upstream.let()
    assert [values(future) for future in [one_under_way, *others]] == [[0], [1], [2]]
    assert [len(call) for call in upstream.calls] == [1, 2, 1, 1]
    assert values(ask(4)) == [4]


def test_a_waiting_request_keeps_its_own_deadline(ask, upstream, waiting, one_under_way):
    hurried = ask(1, timeout=0.2)
    with pytest.raises(DeadlineExceeded) as caught:
        hurried.result(PATIENCE)
    assert caught.value.code == 504
    patient = ask(2)
    waiting(1)
    upstream.let()
    assert values(patient) == [4]
    assert values(one_under_way) == [0]
    # The one that had left is not asked for.
    assert [call.tolist() for call in upstream.calls] == [[0], [2]]


def test_a_deadline_of_the_first_does_not_end_those_with_more_time(ask, upstream, waiting):
    first = ask(0, timeout=0.5)
    wait_until(lambda: len(upstream.calls) == 1, PATIENCE, "the first call")
    hurried = ask(1, timeout=1.5)
    waiting(1)
    patient = ask(2)
    waiting(2)
    for future in (first, hurried):
        with pytest.raises(DeadlineExceeded) as caught:
            future.result(PATIENCE)
        assert caught.value.code == 504
    upstream.let()
    assert values(patient) == [4]


def test_a_batch_has_the_latest_deadline_of_its_requests(ask, upstream, waiting, one_under_way):
    others = []
    for count, timeout in enumerate([10, 20, 15], start=1):
        others.append(ask(count, timeout=timeout))
        waiting(count)
    upstream.let()
    for future in (one_under_way, *others):
        future.result(PATIENCE)
    assert 15 < upstream.timeouts[1] <= 20


def test_one_leaves_a_batch_at_its_own_deadline_and_is_not_asked_for_again(
    ask, upstream, waiting, one_under_way
):
    hurried = ask(1, timeout=1.5)
    waiting(1)
    patient = ask(2)
    waiting(2)
    upstream.let(1)
    assert values(one_under_way) == [0]
    with pytest.raises(DeadlineExceeded) as caught:
        hurried.result(PATIENCE)
    assert caught.value.code == 504
    assert not patient.done()
    upstream.let()
    assert values(patient) == [4]
    assert [sorted(call.tolist()) for call in upstream.calls] == [[0], [1, 2]]


def test_a_request_is_not_repeated_after_its_deadline(ask, upstream, waiting, one_under_way):
    others = [ask(number, timeout=1.5) for number in range(1, 4)]
    waiting(3)
    upstream.let(1)
    assert values(one_under_way) == [0]
    for future in others:
        with pytest.raises(DeadlineExceeded) as caught:
            future.result(PATIENCE)
        assert caught.value.code == 504
    assert len(upstream.calls) == 2


def test_many_threads_get_their_own_answers(ask, upstream, batcher):
    upstream.let(100_000)
    upstream.answer = lambda x: (time.sleep(0.001), 2 * x)[1]
    futures = {number: ask(*[float(number)] * (1 + number % 3)) for number in range(500)}
    for number, future in futures.items():
        assert values(future) == [2.0 * number] * (1 + number % 3)
    assert len(upstream.calls) < 500
    assert batcher._queues == {}


def test_batches_are_measured(ask, upstream, waiting, one_under_way):
    labels = {"model": "batched", "signature": "s"}

    def total(kind: str) -> float:
        return REGISTRY.get_sample_value(f"model_batch_size_{kind}", labels) or 0.0

    before = total("count"), total("sum")
    others = [ask(1), ask(2)]
    waiting(2)
    upstream.let()
    for future in [one_under_way, *others]:
        future.result(PATIENCE)
    assert (total("count") - before[0], total("sum") - before[1]) == (1, 2)
