from __future__ import annotations

import time

import pytest

from services.gateway.request.context import RequestContext
from tests.services.gateway.problems import assert_problem

PREDICT = "/v1/models/half_plus_two:predict"


@pytest.mark.parametrize(
    ("timeout", "least", "most"),
    [
        ("500m", 0.4, 0.5),
        ("2S", 1.9, 2),
        ("1500000u", 1.4, 1.5),
        ("1M", 4.9, 5),
        ("99999999H", 4.9, 5),
    ],
)
def test_a_clients_own_timeout_lowers_the_deadline_and_never_raises_it(timeout, least, most):
    context = RequestContext.lasting(5)
    context.limit_to(timeout)
    assert least < context.deadline - context.arrival <= most


@pytest.mark.parametrize("timeout", ["", "5", "-1S", "1.5S", "123456789S", "5s", "S"])
def test_a_timeout_in_another_notation_is_explained(client, timeout):
    response = client.get("/v1/models", headers={"Grpc-Timeout": timeout})
    assert_problem(response, 400, "Grpc-Timeout", "500m")


def test_a_timeout_ends_a_request(client, fake):
    assert client.post(PREDICT, json={"inputs": [2]}).status_code == 200
    fake.delay = 5
    start = time.monotonic()
    response = client.post(PREDICT, json={"inputs": [2]}, headers={"Grpc-Timeout": "300m"})
    assert_problem(response, 504, "did not answer within 0.3 s")
    assert time.monotonic() - start < 4
