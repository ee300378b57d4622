"""A queueing model of the gateway and the model server on one machine.

Requests compete for the cores of the machine, first come, first served. Each worker of the gateway
has at most one call to the model server in flight; requests that arrive meanwhile share the next.
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
        request: time of the gateway (and the load generator) per request.
        call: time per call to the model server, on both sides and independent of its size.
        image: time of the model per image.
    """

    request: float
    call: float
    image: float


@dataclass(frozen=True)
class Node:
    """A machine that runs the gateway and the model server.

    Attributes:
        cores: number of cores.
        workers: number of gateway processes.
        shares_calls: True if waiting requests share the next call, False if each makes its own.
        max_rows: largest number of requests in a shared call.
    """

    cores: int = 2
    workers: int = 2
    shares_calls: bool = True
    max_rows: int = 64


@dataclass
class Simulation:
    """A run of the model.

    Attributes:
        node: the machine.
        costs: the costs; their means if `draw` is random.
        draw: returns a service time with a given mean.
        latencies: latencies of the answered requests, in seconds.
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
        """Sends requests on each connection, one at a time, and returns the requests per second."""
        for number in range(connections):
            self._clock.process(self._connection(number))
        self._clock.run(seconds)
        return len(self.latencies) / seconds

    def run_open(self, rate: float, seconds: float, seed: int = 0) -> None:
        """Sends requests at random times with a mean rate per second (a Poisson process)."""
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
