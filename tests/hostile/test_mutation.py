"""A few hundred mutated requests; `make mutation` sends 20,000."""

from __future__ import annotations

import pytest

from tests.hostile.mutation import Mutator, send_mutated
from tests.stack import Stack

pytestmark = pytest.mark.hostile


def test_the_same_seed_makes_the_same_requests():
    one, other, another = Mutator(7), Mutator(7), Mutator(8)
    requests = [one.request() for _ in range(50)]
    assert requests == [other.request() for _ in range(50)]
    assert requests != [another.request() for _ in range(50)]


@pytest.mark.parametrize("seed", range(4))
def test_mutated_requests_get_honest_answers(seed: int, stack: Stack):
    counts = send_mutated(stack, 150, seed)
    # Some are still valid, most are refused.
    assert counts[200] + counts["OK"] > 5
    assert counts[400] + counts["INVALID_ARGUMENT"] > 50
