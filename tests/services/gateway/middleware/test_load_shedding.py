from __future__ import annotations

from contextlib import ExitStack

import pytest

from services.gateway.middleware.load_shedding import Lanes
from services.gateway.request.errors import NotReady


def fill(lanes: Lanes, signature_name: str, stack: ExitStack) -> int:
    """Enter until there is no place, or a hundred times; return how many there were."""
    for count in range(100):
        try:
            stack.enter_context(lanes.enter(signature_name))
        except NotReady:
            return count
    return 100


@pytest.mark.parametrize("name", ["saliency_gradient", "feature_visualization_conv1", "generate"])
def test_only_so_much_of_what_takes_long_runs_at_once(name):
    lanes = Lanes(threads=16, max_expensive=5)
    with ExitStack() as stack:
        assert fill(lanes, name, stack) == 5
        with pytest.raises(NotReady, match="already do"):
            stack.enter_context(lanes.enter("generate"))
        assert fill(lanes, "serving_default", stack) == 100


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (4, 2), (64, 8)])
def test_it_gets_at_most_half_of_the_threads(threads, places):
    with ExitStack() as stack:
        assert fill(Lanes(threads, 8), "generate", stack) == places


def test_places_come_back_after_errors_too():
    lanes = Lanes(threads=2, max_expensive=1)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), lanes.enter("generate"):
            raise ZeroDivisionError
        with lanes.enter("generate"), pytest.raises(NotReady), lanes.enter("generate"):
            pass
    with ExitStack() as stack:
        assert fill(lanes, "generate", stack) == 1
