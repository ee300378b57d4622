"""How many pods a rate of predictions needs: `python -m benchmarks.fleet` prints the table."""

from __future__ import annotations

import math
from typing import NamedTuple

from benchmarks.one_node import ALONE, CONNECTIONS, IMAGE_SECONDS, MEASURED, SHARED, fit
from benchmarks.queueing import Costs

RATES = (1_000, 10_000, 100_000)
LOAD = 0.7
"""Of a pod's processor time, where the autoscalers hold it."""
BATCH = 8
"""Requests a call: one node shares calls of about 4 at 16 connections and of 12 at 64."""
SERVER_CALL_SECONDS = 1514e-6 - IMAGE_SECONDS
"""The model server's side of a call, measured; the rest is the gateway's."""
GATEWAY_CORES, MODEL_SERVER_CORES = 1, 2
"""That a pod requests in k8s/base."""
LEAST_PODS = 2
"""One may fail."""


class Fleet(NamedTuple):
    """Pods of each kind."""

    gateways: int
    model_servers: int


def measured_costs() -> Costs:
    """Return the costs of the model that meets the measured node."""
    return fit(MEASURED[ALONE, CONNECTIONS], MEASURED[SHARED, CONNECTIONS])


def gateway_rate(costs: Costs) -> float:
    """Return the requests a second at which a gateway pod is busy all the time."""
    return GATEWAY_CORES / (costs.request + (costs.call - SERVER_CALL_SECONDS) / BATCH)


def model_server_rate(costs: Costs, *, gpu: bool) -> float:
    """Return the same of a model server's pod; a GPU takes the model's part off its cores."""
    image = 0 if gpu else costs.image
    return MODEL_SERVER_CORES / (SERVER_CALL_SECONDS / BATCH + image)


def fleet(rate: float, costs: Costs, *, gpu: bool) -> Fleet:
    """Return the pods that answer so many predictions a second at LOAD."""
    limits = gateway_rate(costs), model_server_rate(costs, gpu=gpu)
    return Fleet(*(max(LEAST_PODS, math.ceil(rate / (LOAD * limit))) for limit in limits))


def table() -> list[str]:
    """Return the lines of the table, in Markdown."""
    costs = measured_costs()
    head = "| predictions a second | gateways | model servers, CPU | model servers, GPU |"
    rows = [
        f"| {rate:,} | {fleet(rate, costs, gpu=False).gateways} | "
        f"{fleet(rate, costs, gpu=False).model_servers} | "
        f"{fleet(rate, costs, gpu=True).model_servers} |"
        for rate in RATES
    ]
    return [head, "| --: | --: | --: | --: |", *rows]


if __name__ == "__main__":
    print("\n".join(table()))  # noqa: T201 - what it is for
