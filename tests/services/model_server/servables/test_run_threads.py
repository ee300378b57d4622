"""Small networks run on one thread, large ones on all while nothing else runs."""

from __future__ import annotations

import threading

import pytest

from services.model_server.servables import run_threads
from services.model_server.servables.run_threads import (
    RUNS_MEASURED,
    RunsInProgress,
    RunThreads,
)


class Clock:
    """A clock that only the runs of a graph move on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def perf_counter(self) -> float:
        return self.seconds


class Graph:
    """A graph whose runs take a known time with one thread and with all."""

    def __init__(self, clock: Clock, one: float, all_cores: float) -> None:
        self.clock = clock
        self.seconds = {True: one, False: all_cores}
        self.compiled: set[bool] = set()
        self.ran: list[bool] = []

    def run(self, is_single: bool) -> str:
        self.ran.append(is_single)
        # The first run of each kind compiles.
        self.clock.seconds += self.seconds[is_single] + (is_single not in self.compiled)
        self.compiled.add(is_single)
        return "answer"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(run_threads, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("one", "all_cores", "threads"),
    [(0.001, 0.003, 1), (0.02, 0.01, 2), (0.01, 0.0095, 1)],
    ids=["small", "large", "hardly faster"],
)
def test_the_faster_way_is_chosen_by_measuring(
    clock: Clock, one: float, all_cores: float, threads: int
) -> None:
    chosen: list[tuple[int, int]] = []
    choice = RunThreads(lambda *what: chosen.append(what), cores=2, runs=RunsInProgress())
    graph = Graph(clock, one, all_cores)
    for _ in range(2 * RUNS_MEASURED):
        assert chosen == []
        assert choice.run(5, graph.run) == "answer"
    assert chosen == [(4, threads)]
    assert graph.ran.count(True) == RUNS_MEASURED
    graph.ran.clear()
    choice.run(5, graph.run)
    assert graph.ran == [threads == 1]


def test_each_size_of_a_batch_has_its_choice(clock: Clock) -> None:
    chosen: list[tuple[int, int]] = []
    choice = RunThreads(lambda *what: chosen.append(what), cores=2, runs=RunsInProgress())
    small, large = Graph(clock, 0.001, 0.002), Graph(clock, 0.02, 0.01)
    for _ in range(2 * RUNS_MEASURED):
        choice.run(1, small.run)
        choice.run(32, large.run)
    assert chosen == [(1, 1), (32, 2)]


def test_runs_beside_others_take_one_thread_and_are_not_measured(clock: Clock) -> None:
    runs = RunsInProgress()
    chosen: list[tuple[int, int]] = []
    choice = RunThreads(lambda *what: chosen.append(what), cores=2, runs=runs)
    graph = Graph(clock, 0.02, 0.01)
    with runs.one_more():
        for _ in range(3 * RUNS_MEASURED):
            choice.run(1, graph.run)
    assert set(graph.ran) == {True}
    assert chosen == []


def test_a_run_that_another_joins_is_not_measured(clock: Clock) -> None:
    chosen: list[tuple[int, int]] = []
    choice = RunThreads(lambda *what: chosen.append(what), cores=2, runs=RunsInProgress())
    graph = Graph(clock, 0.02, 0.01)

    def joined(is_single: bool) -> str:
        other = threading.Thread(target=choice.run, args=(1, graph.run))
        other.start()
        other.join()
        return graph.run(is_single)

    for _ in range(3 * RUNS_MEASURED):
        choice.run(1, joined)
    assert chosen == []


def test_few_runs_on_many_cores_keep_their_choice(clock: Clock) -> None:
    runs = RunsInProgress()
    choice = RunThreads(lambda *_: None, cores=16, runs=runs)
    graph = Graph(clock, 0.02, 0.01)
    for _ in range(2 * RUNS_MEASURED):
        choice.run(1, graph.run)
    graph.ran.clear()
    with runs.one_more():
        choice.run(1, graph.run)
    assert graph.ran == [False]
