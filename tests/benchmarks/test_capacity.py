from __future__ import annotations

import pytest

from benchmarks.capacity import LEAST_PODS, LOAD, gateway_rate, measured_costs, pods, table
from tests.processes import ROOT


@pytest.fixture(scope="module")
def costs():
    return measured_costs()


def test_pods_stay_below_the_target_load(costs):
    gateways = pods(10_000, costs, gpu=False).gateways

    assert 10_000 / gateways <= LOAD * gateway_rate(costs) < 10_000 / (gateways - 1)


def test_one_pod_may_always_fail(costs):
    assert pods(1, costs, gpu=True) == (LEAST_PODS, LEAST_PODS)


def test_scaling_md_has_the_current_table():
    assert "\n".join(table()) in (ROOT / "k8s/SCALING.md").read_text()
