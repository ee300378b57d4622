"""The simulation against closed forms of queueing theory."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from benchmarks.queueing import Costs, Draw, Node, Simulation

SERVICE = 0.01  # seconds


def exponential() -> Draw:
    chance = random.Random(1)
    return lambda mean: chance.expovariate(1 / mean)


def mean_latency(cores: int, load: float, draw: Draw) -> float:
    """Returns the mean latency in seconds of requests that each make a call."""
    node = Node(cores, shares_calls=False)
    simulation = Simulation(node, Costs(SERVICE, 0, 0), draw)
    simulation.run_open(load * cores / SERVICE, seconds=200)
    return float(np.mean(simulation.latencies))


def erlang_c(cores: int, load: float) -> float:
    """Returns the probability that a request waits (Erlang 1917)."""
    offered = cores * load
    waiting = offered**cores / math.factorial(cores) / (1 - load)
    return waiting / (sum(offered**k / math.factorial(k) for k in range(cores)) + waiting)


@pytest.mark.parametrize("cores", [1, 2, 4])
@pytest.mark.parametrize("load", [0.5, 0.8])
def test_random_service_is_an_m_m_c_queue(cores: int, load: float) -> None:
    expected = SERVICE * (1 + erlang_c(cores, load) / (cores * (1 - load)))

    assert mean_latency(cores, load, exponential()) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_constant_service_is_an_m_d_1_queue(load: float) -> None:
    # Pollaczek and Khinchine's formula.
    expected = SERVICE * (1 + load / (2 * (1 - load)))

    assert mean_latency(1, load, float) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_enough_connections_keep_every_core_busy(cores: int) -> None:
    simulation = Simulation(Node(cores, shares_calls=False), Costs(0.003, 0.002, 0.001))

    assert simulation.run_closed(connections=16, seconds=10) == pytest.approx(
        cores / 0.006, rel=0.01
    )


def test_a_single_connection_shares_no_call() -> None:
    costs = Costs(0.003, 0.002, 0.001)

    assert Simulation(Node(), costs).run_closed(1, 10) == pytest.approx(1 / 0.006, rel=0.01)


def test_the_cost_of_a_full_call_is_divided_among_its_requests() -> None:
    costs = Costs(0, 0.010, 0.001)
    node = Node(cores=1, workers=1, max_rows=5)

    rate = Simulation(node, costs).run_closed(connections=100, seconds=10)

    assert rate == pytest.approx(5 / (0.010 + 5 * 0.001), rel=0.01)
