from __future__ import annotations

import pytest

from benchmarks.fleet import LEAST_PODS, LOAD, fleet, gateway_rate, measured_costs, table
from tests.processes import ROOT


@pytest.fixture(scope="module")
def costs():
    return measured_costs()


def test_pods_stay_below_their_load(costs):
    gateways = fleet(10_000, costs, gpu=False).gateways

    assert 10_000 / gateways <= LOAD * gateway_rate(costs) < 10_000 / (gateways - 1)


def test_one_pod_may_always_fail(costs):
    assert fleet(1, costs, gpu=True) == (LEAST_PODS, LEAST_PODS)


def test_the_document_has_the_table_that_the_model_gives():
    assert "\n".join(table()) in (ROOT / "k8s/SCALING.md").read_text()
