from __future__ import annotations

import time

import pytest

from services.gateway.request.context import RequestContext
from services.gateway.request.environ import ARRIVAL, REFUSED
from services.gateway.request.errors import DeadlineExceeded
from tests.services.gateway.problems import assert_problem

PREDICT = "/v1/models/half_plus_two:predict"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def test_a_server_that_does_not_tell_the_arrival_hands_requests_over_at_once():
    context = RequestContext.of({}, 5)
    assert abs(context.arrival - time.monotonic()) < 1
    assert context.deadline == context.arrival + 5


def test_time_spent_queueing_counts_toward_the_deadline():
    context = RequestContext.of({ARRIVAL: 5.0}, 2)
    assert (context.arrival, context.deadline) == (5.0, 7.0)


def test_a_request_that_the_server_has_no_thread_for_is_refused(client):
    response = client.post(PREDICT, json={"inputs": [2]}, environ_base={REFUSED: True})
    assert_problem(response, 503, "as may wait")
    assert int(response.headers["Retry-After"]) > 0


def test_a_request_that_waited_too_long_is_not_sent_on(client, fake):
    environ = {ARRIVAL: time.monotonic() - 3600}
    response = client.post(PREDICT, json={"inputs": [2]}, environ_base=environ)
    assert_problem(response, 504, "the time for this request is over")
    assert fake.requests == []


def test_the_time_of_a_request_runs_out():
    context = RequestContext.lasting(5)
    first = context.time_left()
    assert context.time_left() <= first <= 5
    with pytest.raises(DeadlineExceeded, match="LECTERN_TIMEOUT_SECONDS") as caught:
        RequestContext.lasting(0).time_left()
    assert caught.value.code == 504


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
    assert least < context.time_left() <= most


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


def test_the_trace_of_a_request_reaches_the_model_server(client, fake):
    headers = {"traceparent": PARENT, "tracestate": "vendor=value"}
    client.post(PREDICT, json={"inputs": [2]}, headers=headers)
    assert fake.metadata[-1]["traceparent"] == PARENT
    assert fake.metadata[-1]["tracestate"] == "vendor=value"
    client.post(PREDICT, json={"inputs": [2]})
    assert "traceparent" not in fake.metadata[-1]


def traced(parent: str, state: str) -> RequestContext:
    return RequestContext.of({"HTTP_TRACEPARENT": parent, "HTTP_TRACESTATE": state}, 5)


@pytest.mark.parametrize(
    "received",
    ["", TRACE, PARENT.upper(), f"ff{PARENT[2:]}", f"{PARENT}-x", f"{PARENT[:-1]}\u00e4"],
)
def test_a_malformed_trace_is_left_out(received):
    context = traced(received, "a=b")
    assert (context.trace_id, context.trace) == (None, ())


@pytest.mark.parametrize("state", ["a\u00e4=b", "x" * 513])
def test_a_malformed_state_is_left_out(state):
    context = traced(PARENT, state)
    assert (context.trace_id, context.trace) == (TRACE, (("traceparent", PARENT),))
