from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from services.gateway.request.arrival import Arrival, arrived_at, is_refused, note_arrival
from tests.services.gateway.problems import assert_problem


@pytest.fixture(autouse=True)
def own_thread() -> Iterator[None]:
    yield
    note_arrival(None)


def test_a_server_that_tells_nothing_refuses_nothing():
    assert not is_refused()
    assert abs(arrived_at() - time.monotonic()) < 1


def test_what_a_thread_was_told_is_its_own():
    note_arrival(Arrival(5.0, refused=True))
    assert (arrived_at(), is_refused()) == (5.0, True)
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(is_refused()))
    thread.start()
    thread.join()
    assert seen == [False]


def test_what_the_server_refuses_is_turned_away(client):
    note_arrival(Arrival(time.monotonic(), refused=True))
    response = client.post("/v1/models/half_plus_two:predict", json={"inputs": [2]})
    assert_problem(response, 503, "as may wait")
    assert int(response.headers["Retry-After"]) > 0


def test_a_request_that_waited_too_long_is_not_sent_on(client, fake):
    note_arrival(Arrival(time.monotonic() - 3600))
    response = client.post("/v1/models/half_plus_two:predict", json={"inputs": [2]})
    assert_problem(response, 504, "the time for this request is over")
    assert fake.requests == []
