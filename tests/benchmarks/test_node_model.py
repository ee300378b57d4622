from __future__ import annotations

import pytest

from benchmarks.node_model import ALONE, MEASURED, SHARED, fit, latencies_at, model_rates

FITTED = {(ALONE, 64), (SHARED, 64)}


@pytest.fixture(scope="module")
def costs():
    return fit(MEASURED[ALONE, 64], MEASURED[SHARED, 64])


def test_the_model_fits_its_two_rates_and_predicts_the_others(costs):
    modelled = model_rates(costs, MEASURED)

    for key, rate in MEASURED.items():
        # A single request waits for threads to wake up, which the model leaves out.
        tolerance = 0.01 if key in FITTED else 0.3 if key[1] == 1 else 0.15
        assert modelled[key] == pytest.approx(rate, rel=tolerance), key


def test_a_call_costs_more_than_the_model_servers_side_of_it(costs):
    assert 0.0015 < costs.call < 0.004


def test_latencies_grow_with_the_load(costs):
    quiet, busy = (latencies_at(load, costs, MEASURED[SHARED, 64]) for load in (0.5, 0.9))
    assert quiet[0] < quiet[1] < busy[1]
