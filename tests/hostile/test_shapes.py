"""Every signature of every committed model, given what it does not expect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.serving_api.signatures import Signature
from tests.hostile.engine import Case, run
from tests.hostile.requests import Request
from tests.hostile.surfaces import TENSORS, Arrays, signatures
from tests.hostile.tensors import EVERY_RANK, odd_dimensions, odd_values, right, wrong_ranks
from tests.stack import COMMITTED, Stack

pytestmark = pytest.mark.hostile

ANSWERED = frozenset({200, 400, 413, "OK", "INVALID_ARGUMENT"})
THROUGH_ALL = ("cnn", "codec", "vae_conv", "gru")
"""The models that are asked by way of every surface, with every rank, odd dimensions and extreme
values; the others, by gRPC, with the ranks on which convolutions aborted."""

PLACES = [
    (model, surface)
    for model in COMMITTED
    for surface in TENSORS
    if surface == "gRPC" or model in THROUGH_ALL
]


@pytest.mark.parametrize(("model", "surface"), PLACES)
def test_no_shape_and_no_value_ends_the_model_server(model: str, surface: str, stack: Stack):
    ask, thoroughly = TENSORS[surface], model in THROUGH_ALL
    of_model = signatures(stack, model)
    if thoroughly:
        # A signature takes memory when it is first used.
        first = [ask(model, name, right(each)) for name, each in of_model.items() if each.inputs]
        assert all(request.send(stack) in {200, "OK"} for request in first)

    def inputs(signature: Signature) -> Iterator[Arrays]:
        yield from wrong_ranks(signature, EVERY_RANK if thoroughly else range(4))
        if thoroughly:
            yield from odd_dimensions(signature)
            yield from odd_values(signature)

    def make() -> list[Request]:
        return [
            ask(model, name, arrays) for name, each in of_model.items() for arrays in inputs(each)
        ]

    run(Case(f"{surface}: {model}", make, ANSWERED, megabytes=128, seconds=60), stack)
