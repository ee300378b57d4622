"""Batched answers equal unbatched ones, whoever shares the batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model_server.batching.batched_servable import MAX_QUEUES, BatchingServable
from services.model_server.errors import ServingError
from services.model_server.operations.predict import predict
from services.model_server.servables.cancellation import Cancellation
from services.model_server.servables.saved_model import SavedModelServable
from services.serving_api.arrays import Arrays
from services.serving_api.protos import error_codes_pb2, types_pb2
from services.serving_api.signatures import TensorSpec
from tests.services.model_server.doubler import (
    SECONDS,
    Doubler,
    batched,
    wait_for,
    waiting_rows,
)


def ask(servable: BatchingServable, *rows: float) -> list[float]:
    array = np.array(rows, np.float32)
    return servable.run("double", {"x": array}, ["y"])["y"].tolist()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as threads:
        yield threads


def occupy(doubler: Doubler, servable: BatchingServable, pool: ThreadPoolExecutor) -> None:
    """Let one request run and hold it, so that the next ones wait."""
    doubler.may_go_on.clear()
    pool.submit(ask, servable, 0.0)
    assert doubler.running.acquire(timeout=SECONDS)


def test_a_lone_request_runs_in_its_own_thread() -> None:
    doubler = Doubler()
    assert ask(batched(doubler), 1, 2) == [2, 4]
    assert doubler.threads == [threading.get_ident()]


def test_what_waits_while_a_batch_runs_is_the_next_batch(pool: ThreadPoolExecutor) -> None:
    doubler = Doubler()
    servable = batched(doubler)
    occupy(doubler, servable, pool)
    answers = [pool.submit(ask, servable, float(i), -0.0) for i in range(10)]
    wait_for(lambda: waiting_rows(servable) == 20)
    doubler.may_go_on.set()
    assert [answer.result(SECONDS) for answer in answers] == [[2.0 * i, 0] for i in range(10)]
    assert doubler.batches == [1, 20]


def test_no_batch_is_larger_than_max_batch_size(pool: ThreadPoolExecutor) -> None:
    doubler = Doubler()
    servable = batched(doubler, max_batch_size=4)
    occupy(doubler, servable, pool)
    answers = [pool.submit(ask, servable, 1.0, 2.0, 3.0) for _ in range(3)]
    wait_for(lambda: waiting_rows(servable) == 9)
    doubler.may_go_on.set()
    assert [answer.result(SECONDS) for answer in answers] == [[2, 4, 6]] * 3
    assert doubler.batches == [1, 3, 3, 3]


def test_one_bad_input_fails_alone(pool: ThreadPoolExecutor) -> None:
    doubler = Doubler()
    servable = batched(doubler)
    occupy(doubler, servable, pool)
    good = [pool.submit(ask, servable, 1.0) for _ in range(3)]
    bad = pool.submit(ask, servable, -1.0)
    wait_for(lambda: waiting_rows(servable) == 4)
    doubler.may_go_on.set()
    assert [answer.result(SECONDS) for answer in good] == [[2]] * 3
    with pytest.raises(ServingError, match="negative"):
        bad.result(SECONDS)
    assert sorted(doubler.batches) == [1, 1, 1, 1, 1, 4]


def test_a_lone_bad_input_runs_once() -> None:
    doubler = Doubler()
    with pytest.raises(ServingError, match="negative"):
        ask(batched(doubler), -1)
    assert doubler.batches == [1]


def test_idle_queues_of_other_outputs_do_not_pile_up(pool: ThreadPoolExecutor) -> None:
    doubler = Doubler()
    servable = batched(doubler)
    occupy(doubler, servable, pool)
    waiting = pool.submit(ask, servable, 1.0)
    wait_for(lambda: waiting_rows(servable) == 1)
    for number in range(2 * MAX_QUEUES):
        servable._queue("double", [f"output {number}"])
    assert len(servable._queues) <= MAX_QUEUES
    doubler.may_go_on.set()
    assert waiting.result(SECONDS) == [2]


def test_a_full_queue_refuses(pool: ThreadPoolExecutor) -> None:
    doubler = Doubler()
    servable = batched(doubler, max_batch_size=2, max_enqueued_batches=1)
    occupy(doubler, servable, pool)
    waiting = pool.submit(ask, servable, 1.0)
    wait_for(lambda: waiting_rows(servable) == 1)
    with pytest.raises(ServingError, match=r"queue .* is full") as caught:
        ask(servable, 1, 2)
    assert caught.value.code == error_codes_pb2.UNAVAILABLE
    doubler.may_go_on.set()
    assert waiting.result(SECONDS) == [2]


def ask_until(cancellation: Cancellation, servable: BatchingServable, row: float) -> list[float]:
    with cancellation.of_this_request():
        return ask(servable, row)


def test_a_cancelled_request_stops_waiting_and_does_not_run(pool: ThreadPoolExecutor) -> None:
    doubler = Doubler()
    servable = batched(doubler)
    occupy(doubler, servable, pool)
    cancellations = [Cancellation() for _ in range(3)]
    answers = []
    for row, cancellation in enumerate(cancellations):
        answers.append(pool.submit(ask_until, cancellation, servable, float(row)))
        wait_for(lambda count=row + 1: waiting_rows(servable) == count)
    # The first is the one whose thread would have run the batch.
    cancellations[0].cancel()
    with pytest.raises(ServingError, match="the deadline passed") as caught:
        answers[0].result(SECONDS)
    assert caught.value.code == error_codes_pb2.DEADLINE_EXCEEDED
    assert waiting_rows(servable) == 2
    doubler.may_go_on.set()
    assert [answer.result(SECONDS) for answer in answers[1:]] == [[2], [4]]
    assert doubler.batches == [1, 2]


def test_a_cancelled_request_makes_room_in_a_full_queue(pool: ThreadPoolExecutor) -> None:
    doubler = Doubler()
    servable = batched(doubler, max_batch_size=1, max_enqueued_batches=2)
    occupy(doubler, servable, pool)
    cancellation = Cancellation()
    gone = pool.submit(ask_until, cancellation, servable, 1.0)
    wait_for(lambda: waiting_rows(servable) == 1)
    waiting = pool.submit(ask, servable, 2.0)
    wait_for(lambda: waiting_rows(servable) == 2)
    with pytest.raises(ServingError, match="is full"):
        ask(servable, 3)
    cancellation.cancel()
    with pytest.raises(ServingError, match="the deadline passed"):
        gone.result(SECONDS)
    last = pool.submit(ask, servable, 3.0)
    wait_for(lambda: waiting_rows(servable) == 2)
    doubler.may_go_on.set()
    assert [waiting.result(SECONDS), last.result(SECONDS)] == [[4], [6]]
    assert doubler.batches == [1, 1, 1]


def test_after_a_cancelled_one_the_next_waits_for_its_own_timeout(
    pool: ThreadPoolExecutor,
) -> None:
    servable = batched(Doubler(), max_batch_size=9, batch_timeout_micros=100_000)
    cancellation = Cancellation()
    gone = pool.submit(ask_until, cancellation, servable, 1.0)
    wait_for(lambda: waiting_rows(servable) == 1)
    answer = pool.submit(ask, servable, 2.0)
    wait_for(lambda: waiting_rows(servable) == 2)
    cancellation.cancel()
    assert answer.result(SECONDS) == [4]
    with pytest.raises(ServingError, match="the deadline passed"):
        gone.result(SECONDS)


def test_all_parts_of_a_cancelled_large_request_stop_waiting(pool: ThreadPoolExecutor) -> None:
    doubler = Doubler()
    servable = batched(
        doubler, max_batch_size=9, enable_large_batch_splitting=True, max_execution_batch_size=2
    )
    occupy(doubler, servable, pool)
    cancellation = Cancellation()

    def ask_for_five_rows() -> list[float]:
        with cancellation.of_this_request():
            return ask(servable, 1, 2, 3, 4, 5)

    gone = pool.submit(ask_for_five_rows)
    wait_for(lambda: waiting_rows(servable) == 5)
    cancellation.cancel()
    with pytest.raises(ServingError, match="the deadline passed"):
        gone.result(SECONDS)
    assert waiting_rows(servable) == 0
    doubler.may_go_on.set()
    assert ask(servable, 6) == [12]


def test_a_request_cancelled_before_it_came_does_not_run() -> None:
    doubler = Doubler()
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(ServingError, match="the deadline passed"):
        ask_until(cancellation, batched(doubler), 1)
    assert doubler.batches == []


class SlowDoubler(Doubler):
    """Takes a while, so that requests queue up."""

    def run(
        self, signature_name: str, inputs: Arrays, output_names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        time.sleep(0.001)
        return super().run(signature_name, inputs, output_names)


@pytest.mark.parametrize("timeout", [0, 2000])
def test_whoever_leaves_whenever_the_others_are_answered(
    pool: ThreadPoolExecutor, timeout: int
) -> None:
    servable = batched(
        SlowDoubler(), max_batch_size=4, num_batch_threads=2, batch_timeout_micros=timeout
    )
    delays = np.random.default_rng(0).random(300) * 0.01

    def ask_and_leave(row: int) -> list[float] | None:
        cancellation = Cancellation()
        if row % 3 == 0:
            threading.Timer(delays[row], cancellation.cancel).start()
        try:
            return ask_until(cancellation, servable, float(row))
        except ServingError:
            return None

    answers = list(pool.map(ask_and_leave, range(len(delays)), timeout=60))
    for row, answer in enumerate(answers):
        assert answer == [2.0 * row] or (answer is None and row % 3 == 0)
    assert None in answers
    assert waiting_rows(servable) == 0


def test_a_request_larger_than_a_batch_is_refused() -> None:
    with pytest.raises(ServingError, match="Task size 3 is larger than maximum input batch size 2"):
        ask(batched(Doubler(), max_batch_size=2), 1, 2, 3)


def test_a_large_request_is_split_where_that_is_allowed() -> None:
    doubler = Doubler()
    servable = batched(
        doubler, max_batch_size=100, enable_large_batch_splitting=True, max_execution_batch_size=4
    )
    assert ask(servable, *range(10)) == [2.0 * i for i in range(10)]
    assert doubler.batches == [4, 4, 2]


def test_a_batch_is_padded_to_an_allowed_size() -> None:
    doubler = Doubler()
    servable = batched(doubler, max_batch_size=8, allowed_batch_sizes=(4, 8))
    assert ask(servable, 1, 2, 3, 4, 5) == [2, 4, 6, 8, 10]
    assert doubler.batches == [8]


def test_a_batch_that_is_not_full_waits_for_its_timeout() -> None:
    servable = batched(Doubler(), max_batch_size=3, batch_timeout_micros=30_000)
    start = time.monotonic()
    assert ask(servable, 1) == [2]
    assert time.monotonic() - start >= 0.03


def test_a_full_batch_does_not_wait(pool: ThreadPoolExecutor) -> None:
    doubler = Doubler()
    servable = batched(doubler, max_batch_size=2, batch_timeout_micros=3_600_000_000)
    answers = [pool.submit(ask, servable, float(i)) for i in range(6)]
    assert [answer.result(SECONDS) for answer in answers] == [[2.0 * i] for i in range(6)]
    assert doubler.batches == [2, 2, 2]


@pytest.mark.parametrize(("pad", "sizes"), [(False, [1, 2, 2]), (True, [1, 4])])
def test_shapes_that_differ_are_parted_or_padded(
    pool: ThreadPoolExecutor, pad: bool, sizes: list[int]
) -> None:
    doubler = Doubler()
    servable = batched(doubler, pad_variable_length_inputs=pad)

    def ask_row(width: int) -> tuple[int, ...]:
        inputs = {"x": np.ones((1, width), np.float32)}
        return servable.run("double", inputs, ["y"])["y"].shape

    doubler.may_go_on.clear()
    first = pool.submit(ask_row, 1)
    assert doubler.running.acquire(timeout=SECONDS)
    answers = [pool.submit(ask_row, width) for width in (2, 3, 2, 3)]
    wait_for(lambda: waiting_rows(servable) == 4)
    doubler.may_go_on.set()
    assert first.result(SECONDS) == (1, 1)
    widths = (3, 3, 3, 3) if pad else (2, 3, 2, 3)
    assert [answer.result(SECONDS) for answer in answers] == [(1, width) for width in widths]
    assert doubler.batches == sizes


@pytest.mark.parametrize("shape", [(), (1,), (3, None)])
def test_a_signature_without_a_free_first_dimension_is_not_batched(
    shape: tuple[int | None, ...],
) -> None:
    servable = batched(Doubler(TensorSpec(types_pb2.DT_FLOAT, shape)), max_batch_size=1)
    assert ask(servable, 1, 2, 3) == [2, 4, 6]


def test_an_empty_request_is_answered() -> None:
    assert ask(batched(Doubler())) == []


def test_close_closes_the_wrapped_one() -> None:
    doubler = Doubler()
    batched(doubler).close()
    assert doubler.batches == [0]


@settings(max_examples=20, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=16),
    limit=st.integers(6, 12),
    threads=st.integers(1, 2),
    splits=st.booleans(),
    timeout=st.sampled_from([0, 200]),
)
def test_batched_answers_equal_unbatched_ones(
    *,
    exported: dict[float, Path],
    sizes: list[int],
    limit: int,
    threads: int,
    splits: bool,
    timeout: int,
) -> None:
    alone = _loaded(exported[0.5])
    servable = batched(
        alone,
        max_batch_size=limit,
        max_execution_batch_size=4,
        num_batch_threads=threads,
        max_enqueued_batches=100,
        enable_large_batch_splitting=splits,
        batch_timeout_micros=timeout,
    )
    generator = np.random.default_rng(len(sizes))
    requests = [{"x": generator.random((size, 1), np.float32)} for size in sizes]
    with ThreadPoolExecutor(len(sizes)) as pool:
        answers = list(
            pool.map(lambda inputs: predict(servable, "serving_default", inputs), requests)
        )
    for inputs, answer in zip(requests, answers, strict=True):
        expected = predict(alone, "serving_default", inputs)
        assert answer.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(answer[name], array)


_SERVABLES: dict[Path, SavedModelServable] = {}


def _loaded(path: Path) -> SavedModelServable:
    """Load once for all examples."""
    if path not in _SERVABLES:
        _SERVABLES[path] = SavedModelServable(path)
    return _SERVABLES[path]
