"""Chooses how many threads a run of a graph takes: one, or those of the process.

With all cores, TensorFlow splits every operation. That doubles the processor time of a small
network, and on an idle machine halves the latency of a large one. So both are measured, for each
size of a batch, while nothing else runs. Many runs at a time take one thread each.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")

RUNS_MEASURED = 6
"""Of each kind and size; the first, which compiles, does not count."""

GAIN = 0.9
"""All threads are chosen only below this share of one thread's time, since they cost more."""


class RunsInProgress:
    """Counts the runs of all models in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.begun = 0

    @contextmanager
    def one_more(self) -> Iterator[int]:
        """Counts the block as a run, and gives the number of runs in progress with it."""
        with self._lock:
            self.begun += 1
            self._now += 1
            now = self._now
        try:
            yield now
        finally:
            with self._lock:
                self._now -= 1


_RUNS = RunsInProgress()


class RunThreads:
    """The choice for one signature of a loaded model; its methods are thread-safe."""

    def __init__(
        self,
        on_choice: Callable[[int, int], object],
        cores: int | None = None,
        runs: RunsInProgress = _RUNS,
    ) -> None:
        """Begins without a choice.

        Args:
            on_choice: Called with the fewest rows of a batch size and the threads chosen for it.
            cores: Processors of the machine; by default those that this process may use.
            runs: The runs in progress.
        """
        self._on_choice = on_choice
        self._cores = cores or len(os.sched_getaffinity(0))
        self._runs = runs
        self._times: dict[int, _Times] = defaultdict(_Times)

    def run(self, rows: int, run: Callable[[bool], _T]) -> _T:
        """Calls `run` with True if it is to use one thread only, and returns what it returns.

        Args:
            rows: Size of the batch, which is rounded down to a power of two.
            run: Runs the graph.
        """
        size = rows.bit_length()
        times = self._times[size]
        with self._runs.one_more() as now:
            is_crowded = 2 * now > self._cores
            is_single = is_crowded or times.next_is_single()
            begun = self._runs.begun
            start = time.perf_counter()
            result = run(is_single)
            seconds = time.perf_counter() - start
            if now == 1 and begun == self._runs.begun and times.add(is_single, seconds):
                self._on_choice(1 << max(size - 1, 0), 1 if times.is_single else self._cores)
        return result


class _Times:
    """The seconds that undisturbed runs of one size took, with one thread and with all."""

    def __init__(self) -> None:
        self.is_single: bool | None = None
        self._seconds: dict[bool, list[float]] = {True: [], False: []}

    def next_is_single(self) -> bool:
        """Returns the choice, or before there is one, what has been measured less often."""
        if self.is_single is not None:
            return self.is_single
        return len(self._seconds[True]) <= len(self._seconds[False])

    def add(self, is_single: bool, seconds: float) -> bool:
        """Adds a measurement; returns True when it leads to the choice."""
        if self.is_single is not None:
            return False
        self._seconds[is_single].append(seconds)
        if min(map(len, self._seconds.values())) < RUNS_MEASURED:
            return False
        one, all_cores = (min(self._seconds[single][1:]) for single in (True, False))
        self.is_single = all_cores > GAIN * one
        return True
