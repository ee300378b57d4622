from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from flask import Flask

from services.gateway.app import create_app
from tests.fakes import Arrays, FakeSignature, FakeVersion
from tests.processes import wait_until

ASK = "/v1/models/half_plus_two:predict"

Ask = Callable[[float], "Future[tuple[int, object]]"]


def refuse_negative(inputs: Arrays) -> Arrays:
    if (inputs["x"] < 0).any():
        raise ValueError("negative")
    return {"y": inputs["x"] / 2 + 2}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def asker(app: Flask, pool: ThreadPoolExecutor) -> Ask:
    def ask(value: float) -> tuple[int, object]:
        response = app.test_client().post(ASK, json={"inputs": [value]})
        return response.status_code, response.json.get("outputs")

    return lambda value: pool.submit(ask, value)


def waiting(app: Flask) -> int:
    queues = app.extensions["lectern"].batcher._queues.values()
    return sum(len(queue.waiting) for queue in queues)


def test_requests_share_calls_and_a_bad_one_fails_alone(app, fake, pool):
    specs = {"x": (np.float32, (-1,))}, {"y": (np.float32, (-1,))}
    signature = FakeSignature(refuse_negative, *specs)
    fake.models["half_plus_two"] = {1: FakeVersion({"serving_default": signature})}
    ask = asker(app, pool)
    assert ask(0).result() == (200, [2.0])
    fake.requests.clear()

    fake.hold()
    first = ask(2)
    wait_until(lambda: len(fake.requests) == 1, 10, "the first call")
    good, bad = [ask(value) for value in (4, 6, 8)], ask(-1)
    wait_until(lambda: waiting(app) == 4, 10, "four wait")
    fake.release()

    assert first.result() == (200, [3.0])
    assert [future.result() for future in good] == [(200, [4.0]), (200, [5.0]), (200, [6.0])]
    assert bad.result()[0] == 500
    # The first, the shared one that failed, and each of four alone.
    assert len(fake.requests) == 6


@pytest.fixture
def app_with(settings, model_server) -> Callable[[bool], Flask]:
    """Make an application with or without shared calls."""

    def make(batching: bool) -> Flask:
        changed = settings.model_copy(update={"upstream_batching": batching})
        return create_app(changed, model_server)

    return make


@pytest.mark.parametrize(("batching", "calls"), [(True, 2), (False, 4)])
def test_sharing_can_be_turned_off(app_with, fake, pool, batching, calls):
    app = app_with(batching)
    ask = asker(app, pool)
    assert ask(0).result() == (200, [2.0])
    fake.requests.clear()

    fake.hold()
    futures = [ask(value) for value in (0, 2, 4, 6)]
    wait_until(lambda: len(fake.requests) + waiting(app) == 4, 10, "all are there")
    fake.release()

    assert [future.result() for future in futures] == [(200, [value]) for value in (2, 3, 4, 5)]
    assert len(fake.requests) == calls
