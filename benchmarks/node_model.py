"""Fits the queueing model to one measured node: `python -m benchmarks.node_model`.

The model has two free parameters, the processor time of a request and that of a call. They are
fitted to the measured rates at 64 connections; the other rows are predictions of the model.
`--measure` repeats the measurement on this machine, which should run nothing else.
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
"""PNG requests per second by configuration and number of connections."""

SHARED, ALONE = "shared calls", "one call each"
"""With and without `LECTERN_UPSTREAM_BATCHING`."""
CONNECTIONS = 64
"""Number of connections at which the model is fitted."""
IMAGE_SECONDS = 150e-6
"""Processor time of the course's CNN for an image; the rest of a call's 1,514 µs is gRPC."""
MEASURED: Rates = {
    (SHARED, 1): 139,
    (SHARED, 16): 558,
    (SHARED, 64): 656,
    (ALONE, 1): 196,
    (ALONE, 16): 314,
    (ALONE, 64): 359,
}
"""Measured on two cores without other load, medians of three rounds."""
SECONDS = 5
"""Simulated time."""
LOADS = (0.5, 0.7, 0.9)


def fit(alone: float, shared: float, connections: int = CONNECTIONS, cores: int = 2) -> Costs:
    """Returns the costs for which the model has the measured rates.

    Args:
        alone: requests per second when each makes its own call.
        shared: requests per second when waiting requests share calls.
        connections: number of connections of both measurements.
        cores: number of cores, all busy.

    Raises:
        ValueError: no cost of a call explains both rates.
    """
    total = cores / alone

    def costs(call: float) -> Costs:
        return Costs(total - call - IMAGE_SECONDS, call, IMAGE_SECONDS)

    def excess(call: float) -> float:
        return Simulation(Node(cores), costs(call)).run_closed(connections, SECONDS) - shared

    return costs(brentq(excess, 0, total - 2 * IMAGE_SECONDS, xtol=1e-5))


def model_rates(costs: Costs, measured: Rates) -> Rates:
    """Returns the rate of the model for each measured one."""
    return {
        (name, connections): Simulation(Node(shares_calls=name == SHARED), costs).run_closed(
            connections, SECONDS
        )
        for name, connections in measured
    }


def latencies_at(load: float, costs: Costs, saturated: float) -> tuple[float, float]:
    """Returns the model's median and 99th percentile latency, in seconds, for Poisson arrivals.

    Args:
        load: rate of the arrivals, as a share of `saturated`.
        costs: costs on the node.
        saturated: the highest rate of the node, in requests per second.
    """
    chance = random.Random(0)
    simulation = Simulation(Node(), costs, lambda mean: chance.expovariate(1 / mean))
    simulation.run_open(load * saturated, seconds=30)
    median, last = np.percentile(simulation.latencies, [50, 99])
    return float(median), float(last)


def measure_rates() -> Rates:
    """Measures what MEASURED holds, on this machine."""
    from benchmarks import in_process, measurement, servers  # noqa: PLC0415 - they load TensorFlow

    plan = measurement.Plan([servers.PNG], [1, 16, 64], rounds=3, seconds=2)
    model = in_process.InProcessModel()
    rates: Rates = {}
    for name, batching in ((SHARED, "true"), (ALONE, "false")):
        with servers.suite(environment={"LECTERN_UPSTREAM_BATCHING": batching}) as suite:
            results = measurement.measure_rounds([suite.gateway_server(model, name)], plan)
        for row in results.rows:
            rates[name, row.connections] = results.median(row).images_per_second
    return rates


def rates_table(measured: Rates, modelled: Rates) -> Table:
    """Returns the table of both."""
    table = Table(title="PNG requests per second, one node with two cores")
    for head in ("configuration", "connections", "measured", "model", "model / measured"):
        table.add_column(head, justify="right")
    for key, rate in measured.items():
        model = modelled[key]
        table.add_row(key[0], str(key[1]), f"{rate:.0f}", f"{model:.0f}", f"{model / rate:.2f}")
    return table


def main() -> None:
    """Prints the model beside the measurement, and its latencies below saturation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--measure", action="store_true", help="repeat the measurement, which takes minutes"
    )
    measured = measure_rates() if parser.parse_args().measure else MEASURED
    costs = fit(measured[ALONE, CONNECTIONS], measured[SHARED, CONNECTIONS])
    modelled = model_rates(costs, measured)
    console = Console(width=100)
    console.print(rates_table(measured, modelled))
    request, call = costs.request * 1000, costs.call * 1000
    console.print(f"Processor time: {request:.2f} ms per request, {call:.2f} ms per call.")
    for load in LOADS:
        median, last = latencies_at(load, costs, modelled[SHARED, CONNECTIONS])
        console.print(f"At {load:.0%}: p50 {median * 1000:.1f} ms, p99 {last * 1000:.1f} ms.")


if __name__ == "__main__":
    main()
