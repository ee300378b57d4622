"""The queueing model beside what was measured on one node: `python -m benchmarks.one_node`.

The model has two free numbers, the processor time of a request and that of a call. They are chosen
so that it meets the measured rates at 64 connections; the other rows are its predictions.
`--measure` measures anew, on this machine, which must be quiet.
"""

from __future__ import annotations

import argparse
import random

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import brentq

from benchmarks.queueing import Costs, Node, Simulation

Rates = dict[tuple[str, int], float]
"""PNG requests a second by gateway and connections."""

SHARED, ALONE = "gunicorn", "gunicorn, one call each"
CONNECTIONS = 64
"""With which the model is fitted."""
IMAGE_SECONDS = 150e-6
"""Processor time of the course's CNN in a call; the rest of its 1,514 µs are gRPC's."""
MEASURED: Rates = {
    (SHARED, 1): 139,
    (SHARED, 16): 558,
    (SHARED, 64): 656,
    (ALONE, 1): 196,
    (ALONE, 16): 314,
    (ALONE, 64): 359,
}
"""By `make bench` on two quiet cores, medians of three rounds."""
SECONDS = 5
"""Of simulated time."""
LOADS = (0.5, 0.7, 0.9)


def fit(alone: float, shared: float, connections: int = CONNECTIONS, cores: int = 2) -> Costs:
    """Return the costs with which the model has these rates.

    Args:
        alone: requests a second when each is a call of its own.
        shared: when those that wait share calls.
        connections: of both.
        cores: of the machine, all busy.

    Raises:
        ValueError: no cost of a call explains both.
    """
    total = cores / alone

    def costs(call: float) -> Costs:
        return Costs(total - call - IMAGE_SECONDS, call, IMAGE_SECONDS)

    def excess(call: float) -> float:
        return Simulation(Node(cores), costs(call)).run_closed(connections, SECONDS) - shared

    return costs(brentq(excess, 0, total - 2 * IMAGE_SECONDS, xtol=1e-5))


def model_rates(costs: Costs, measured: Rates) -> Rates:
    """Return the model's rate for each measured one."""
    return {
        (name, connections): Simulation(Node(shares_calls=name == SHARED), costs).run_closed(
            connections, SECONDS
        )
        for name, connections in measured
    }


def latencies_at(load: float, costs: Costs, saturated: float) -> tuple[float, float]:
    """Return the model's median and 99th percentile, in seconds, when requests come at random.

    Args:
        load: the share of `saturated`.
        costs: of the node.
        saturated: requests a second that the node does at most.
    """
    chance = random.Random(0)
    simulation = Simulation(Node(), costs, lambda mean: chance.expovariate(1 / mean))
    simulation.run_open(load * saturated, seconds=30)
    median, last = np.percentile(simulation.latencies, [50, 99])
    return float(median), float(last)


def measure_rates(rounds: int, seconds: int) -> Rates:
    """Measure what MEASURED holds, on this machine."""
    from benchmarks import bench, gateway_bench, session  # noqa: PLC0415 - they load TensorFlow

    ceiling = session.SessionCeiling(bench.ROOT / "models/cnn/1")
    rates: Rates = {}
    with bench.served(*bench.FLAGS) as server:
        for name, (command, environment) in gateway_bench.commands([SHARED, ALONE]).items():
            with gateway_bench.started(command, environment, server) as gateway:
                _, rows = gateway_bench.measure({name: gateway}, ceiling, rounds, seconds)
            for row, loads in rows.items():
                if row.form == "PNG":
                    median = np.median([load.requests_per_second for load in loads])
                    rates[name, row.connections] = float(median)
    return rates


def rates_table(measured: Rates, modelled: Rates) -> Table:
    """Lay both out."""
    table = Table(title="PNG requests a second, one node of two cores")
    for head in ("gateway", "connections", "measured", "model", "model / measured"):
        table.add_column(head, justify="right")
    for key, rate in measured.items():
        model = modelled[key]
        table.add_row(key[0], str(key[1]), f"{rate:.0f}", f"{model:.0f}", f"{model / rate:.2f}")
    return table


def main() -> None:
    """Print the model beside the measurement, and its latencies below the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true", help="measure anew, for a minute")
    measured = measure_rates(rounds=3, seconds=2) if parser.parse_args().measure else MEASURED
    costs = fit(measured[ALONE, CONNECTIONS], measured[SHARED, CONNECTIONS])
    modelled = model_rates(costs, measured)
    console = Console(width=100)
    console.print(rates_table(measured, modelled))
    request, call = costs.request * 1000, costs.call * 1000
    console.print(f"Processor time: {request:.2f} ms a request, {call:.2f} ms a call.")
    for load in LOADS:
        median, last = latencies_at(load, costs, modelled[SHARED, CONNECTIONS])
        console.print(f"At {load:.0%}: p50 {median * 1000:.1f} ms, p99 {last * 1000:.1f} ms.")


if __name__ == "__main__":
    main()
