from __future__ import annotations

import time

import pytest

from services.gateway.request.deadline import start_deadline, time_left
from services.gateway.request.errors import ModelServerProblem
from tests.services.gateway.problems import assert_problem


def test_the_time_of_a_request_runs_out(app):
    with app.test_request_context():
        start_deadline(5)
        first = time_left()
        assert time_left() <= first <= 5
        start_deadline(0)
        with pytest.raises(ModelServerProblem, match="LECTERN_TIMEOUT_SECONDS") as caught:
            time_left()
        assert caught.value.status == 504


@pytest.mark.parametrize(
    ("budget", "least", "most"),
    [
        ("500m", 0.4, 0.5),
        ("2S", 1.9, 2),
        ("1500000u", 1.4, 1.5),
        ("1M", 4.9, 5),
        ("99999999H", 4.9, 5),
    ],
)
def test_a_clients_own_budget_lowers_the_deadline_and_never_raises_it(app, budget, least, most):
    with app.test_request_context():
        start_deadline(5, budget)
        assert least < time_left() <= most


@pytest.mark.parametrize("budget", ["", "5", "-1S", "1.5S", "123456789S", "5s", "S"])
def test_a_budget_in_another_notation_is_explained(client, budget):
    response = client.get("/v1/models", headers={"Grpc-Timeout": budget})
    assert_problem(response, 400, "Grpc-Timeout", "500m")


def test_a_budget_ends_a_request(client, fake):
    assert client.post("/v1/models/half_plus_two:predict", json={"inputs": [2]}).status_code == 200
    fake.delay = 5
    start = time.monotonic()
    response = client.post(
        "/v1/models/half_plus_two:predict", json={"inputs": [2]}, headers={"Grpc-Timeout": "300m"}
    )
    assert_problem(response, 504, "did not answer within 0.3 s")
    assert time.monotonic() - start < 4
