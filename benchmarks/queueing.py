"""A queueing model of the gateway and the model server on one machine.

Requests compete for the machine's cores, first come, first served. A worker of the gateway has one
shared call to the model server under way; what arrives meanwhile makes the next one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

Step = Generator[simpy.Event, Any, None]
Draw = Callable[[float], float]


@dataclass(frozen=True)
class Costs:
    """Processor time, in seconds.

    Attributes:
        request: of the gateway (and the load generator) for a request.
        call: of a call to the model server, on both sides, whatever it carries.
        image: of the model for an image.
    """

    request: float
    call: float
    image: float


@dataclass(frozen=True)
class Node:
    """A machine that runs both.

    Attributes:
        cores: how many.
        workers: processes of the gateway.
        shares_calls: whether requests that wait share the next call, or each makes its own.
        max_rows: of a shared call.
    """

    cores: int = 2
    workers: int = 2
    shares_calls: bool = True
    max_rows: int = 64


@dataclass
class Simulation:
    """One run.

    Attributes:
        node: where.
        costs: what it costs; means, if `draw` is random.
        draw: a service time by its mean.
        latencies: of the requests answered, in seconds.
    """

    node: Node
    costs: Costs
    draw: Draw = float
    latencies: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._clock = simpy.Environment()
        self._cores = simpy.Resource(self._clock, self.node.cores)
        self._queues = [simpy.Store(self._clock) for _ in range(self.node.workers)]
        if self.node.shares_calls:
            for queue in self._queues:
                self._clock.process(self._share_calls(queue))

    def run_closed(self, connections: int, seconds: float) -> float:
        """Let each connection send one request after another; return the requests a second."""
        for number in range(connections):
            self._clock.process(self._connection(number))
        self._clock.run(seconds)
        return len(self.latencies) / seconds

    def run_open(self, rate: float, seconds: float, seed: int = 0) -> None:
        """Let requests arrive at random, `rate` a second on average (a Poisson process)."""
        self._clock.process(self._arrivals(rate, random.Random(seed)))
        self._clock.run(seconds)

    def _connection(self, number: int) -> Step:
        while True:
            yield from self._request(number)

    def _arrivals(self, rate: float, chance: random.Random) -> Step:
        number = 0
        while True:
            yield self._clock.timeout(chance.expovariate(rate))
            self._clock.process(self._request(number))
            number += 1

    def _request(self, number: int) -> Step:
        start = self._clock.now
        if self.node.shares_calls:
            yield from self._work(self.costs.request)
            answered = self._clock.event()
            self._queues[number % self.node.workers].put(answered)
            yield answered
        else:
            yield from self._work(self.costs.request + self.costs.call + self.costs.image)
        self.latencies.append(self._clock.now - start)

    def _share_calls(self, queue: simpy.Store) -> Step:
        while True:
            waiting = [(yield queue.get())]
            while queue.items and len(waiting) < self.node.max_rows:
                waiting.append((yield queue.get()))
            yield from self._work(self.costs.call + len(waiting) * self.costs.image)
            for answered in waiting:
                answered.succeed()

    def _work(self, mean: float) -> Step:
        with self._cores.request() as core:
            yield core
            yield self._clock.timeout(self.draw(mean))
