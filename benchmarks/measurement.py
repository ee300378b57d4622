"""Measures servers in alternating rounds: a change of the machine's speed meets all of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import psutil

from benchmarks.load import LoadError, Request


class Form(NamedTuple):
    """The form of a request: PNG, JSON or gRPC, and the number of its images."""

    protocol: str
    batch: int = 1

    def __str__(self) -> str:
        return self.protocol if self.batch == 1 else f"{self.protocol} ×{self.batch}"


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        name: its name in the tables.
        process: its process, the parent of all others that serve.
        requests: the requests that it answers.
    """

    name: str
    process: psutil.Process
    requests: Mapping[Form, Request]

    def cpu_seconds(self) -> float:
        """Returns the processor time that all its processes have used so far."""
        times = [process.cpu_times() for process in self._processes()]
        return float(sum(each.user + each.system for each in times))

    def memory_mib(self) -> float:
        """Returns the resident memory of all its processes."""
        return float(sum(process.memory_info().rss for process in self._processes()) / 2**20)

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


class Plan(NamedTuple):
    """What is measured.

    Attributes:
        forms: the forms of requests.
        connections: the numbers of connections, each with one request at a time.
        rounds: largest number of rounds.
        seconds: time of one measurement.
    """

    forms: Sequence[Form]
    connections: Sequence[int]
    rounds: int
    seconds: int


class Row(NamedTuple):
    """One line of a table."""

    server: str
    form: Form
    connections: int


class Measurement(NamedTuple):
    """One round of a row.

    Attributes:
        images_per_second: rate of the answered images.
        cpu_ms: processor time of the server for a request, in milliseconds.
        p50_ms: median latency of a request, in milliseconds.
        p99_ms: 99th percentile.
    """

    images_per_second: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


class Ratio(NamedTuple):
    """A ratio of two series that were measured in pairs.

    Attributes:
        median: median over the rounds.
        lower: lower end of its 95% confidence interval; the smallest ratio of fewer than 6 rounds.
        upper: upper end of the interval.
    """

    median: float
    lower: float
    upper: float

    @property
    def error(self) -> float:
        """The larger distance of the interval's ends from the median, relative to the median."""
        return max(self.upper - self.median, self.median - self.lower) / self.median

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.lower:.2f}, {self.upper:.2f}]"


@dataclass
class Results:
    """The measurements of all rows, round by round.

    Attributes:
        rows: the measurements; a round that failed is missing.
        failures: the reason of the last failure of a row.
    """

    rows: dict[Row, list[Measurement]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[Row, str] = field(default_factory=dict)

    def median(self, row: Row) -> Measurement:
        """Returns the medians of a row."""
        return Measurement(*np.median(self.rows[row], axis=0).tolist())

    def ratio(self, row: Row, other: Row, name: str = "images_per_second") -> Ratio:
        """Returns a row's values over those of another row in the same rounds."""
        return paired_ratio(
            [getattr(each, name) for each in self.rows[row]],
            [getattr(each, name) for each in self.rows[other]],
        )


def paired_ratio(values: Sequence[float], others: Sequence[float]) -> Ratio:
    """Returns the median of the ratios of values at equal positions.

    Its confidence interval is between two order statistics, by the normal approximation of the
    binomial distribution (Conover, Practical Nonparametric Statistics, section 3.2).

    Raises:
        ValueError: the series differ in length.
    """
    ratios = sorted(value / other for value, other in zip(values, others, strict=True))
    rank = max(0, math.floor((len(ratios) - 1.96 * math.sqrt(len(ratios))) / 2))
    return Ratio(float(np.median(ratios)), ratios[rank], ratios[-1 - rank])


def measure_rounds(
    servers: Sequence[Server],
    plan: Plan,
    start_round: Callable[[Results], None] = lambda _: None,
    is_enough: Callable[[Results], bool] = lambda _: False,
) -> Results:
    """Measures every row in every round, the servers in turns from first to last and back.

    Args:
        servers: the servers; they answer a short round that does not count first.
        plan: the rows and rounds.
        start_round: is called with the results before each round.
        is_enough: is called with the results after each round; True skips the remaining rounds.
    """
    _measure_round(servers, plan._replace(seconds=1), Results())
    results = Results()
    for number in range(plan.rounds):
        start_round(results)
        _measure_round(servers[:: -1 if number % 2 else 1], plan, results)
        if is_enough(results):
            break
    return results


def _measure_round(servers: Sequence[Server], plan: Plan, results: Results) -> None:
    """Measures every row once; a failure does not stop the others."""
    for form in plan.forms:
        for connections in plan.connections:
            for server in servers:
                if form in server.requests:
                    row = Row(server.name, form, connections)
                    try:
                        results.rows[row].append(measure(server, form, connections, plan.seconds))
                    except (LoadError, psutil.Error) as error:
                        results.failures[row] = str(error)


def measure(server: Server, form: Form, connections: int, seconds: int) -> Measurement:
    """Puts a server under load.

    Raises:
        LoadError: the load generator is missing, or an answer was wrong.
    """
    before = server.cpu_seconds()
    load = server.requests[form].send(connections, seconds)
    processor = server.cpu_seconds() - before
    return Measurement(
        load.requests_per_second * form.batch,
        processor / load.requests * 1e3,
        load.p50_ms,
        load.p99_ms,
    )
