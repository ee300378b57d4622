"""Computes the number of pods for a rate of predictions: `python -m benchmarks.capacity`."""

from __future__ import annotations

import math
from typing import NamedTuple

from benchmarks.node_model import ALONE, CONNECTIONS, IMAGE_SECONDS, MEASURED, SHARED, fit
from benchmarks.queueing import Costs

RATES = (1_000, 10_000, 100_000)
LOAD = 0.7
"""Target utilization of the autoscalers."""
BATCH = 8
"""Requests per call; on the measured node about 4 at 16 connections, and 12 at 64."""
SERVER_CALL_SECONDS = 1514e-6 - IMAGE_SECONDS
"""Measured processor time of a call in the model server; the rest is spent in the gateway."""
GATEWAY_CORES, MODEL_SERVER_CORES = 1, 2
"""Cores that a pod requests in k8s/base."""
LEAST_PODS = 2
"""So that one pod may fail."""


class Pods(NamedTuple):
    """Number of pods of each kind."""

    gateways: int
    model_servers: int


def measured_costs() -> Costs:
    """Returns the costs of the model that is fitted to the measured node."""
    return fit(MEASURED[ALONE, CONNECTIONS], MEASURED[SHARED, CONNECTIONS])


def gateway_rate(costs: Costs) -> float:
    """Returns the requests per second that saturate a gateway pod."""
    return GATEWAY_CORES / (costs.request + (costs.call - SERVER_CALL_SECONDS) / BATCH)


def model_server_rate(costs: Costs, *, gpu: bool) -> float:
    """Returns the requests per second that saturate a model server pod; a GPU runs the model."""
    image = 0 if gpu else costs.image
    return MODEL_SERVER_CORES / (SERVER_CALL_SECONDS / BATCH + image)


def pods(rate: float, costs: Costs, *, gpu: bool) -> Pods:
    """Returns the pods that answer a rate of predictions per second at the target LOAD."""
    limits = gateway_rate(costs), model_server_rate(costs, gpu=gpu)
    return Pods(*(max(LEAST_PODS, math.ceil(rate / (LOAD * limit))) for limit in limits))


def table() -> list[str]:
    """Returns the lines of the table, in Markdown."""
    costs = measured_costs()
    head = "| predictions per second | gateways | model servers, CPU | model servers, GPU |"
    rows = [
        f"| {rate:,} | {pods(rate, costs, gpu=False).gateways} | "
        f"{pods(rate, costs, gpu=False).model_servers} | "
        f"{pods(rate, costs, gpu=True).model_servers} |"
        for rate in RATES
    ]
    return [head, "| --: | --: | --: | --: |", *rows]


if __name__ == "__main__":
    print("\n".join(table()))  # noqa: T201 - its purpose
