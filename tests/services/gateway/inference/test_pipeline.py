from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from flask import Flask

from services.gateway.app import create_app
from tests.fakes import Arrays, FakeSignature, FakeVersion
from tests.processes import wait_until
from tests.services.gateway.problems import assert_problem

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
    return app.extensions["lectern"].batcher.waiting_requests


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


@pytest.mark.parametrize(
    "shape", [(), (1,), (3, 2), (28, 28), (1, 28, 28), (1, 27, 28, 1), (1,) * 5]
)
@pytest.mark.parametrize("form", ["inputs", "v2"])
def test_a_shape_that_could_abort_the_model_server_is_not_sent(client, fake, shape, form):
    values = np.zeros(shape).tolist()
    path, body = "/v1/models/classifier:predict", {"inputs": values}
    if form == "v2":
        path = "/v2/models/classifier/infer"
        tensor = {"name": "images", "shape": shape, "datatype": "FP32", "data": values}
        body = {"inputs": [tensor if shape else {**tensor, "data": [0.0]}]}
    response = client.post(path, json=body)
    assert_problem(response, 400, f"the shape {list(shape)}", "float32[N, 28, 28, 1]")
    assert [
        each for each in fake.requests if each.model_spec.signature_name != "class_labels"
    ] == []


@pytest.mark.parametrize("values", [[2], [[2]], [[2, 4]], 2])
def test_other_shapes_are_left_to_the_graph(client, values):
    answer = (np.array(values) / 2 + 2).tolist()
    assert client.post(ASK, json={"inputs": values}).json == {"outputs": answer}


def test_more_than_two_dimensions_are_not_left_to_it(client):
    response = client.post(ASK, json={"inputs": [[[2]]]})
    assert_problem(response, 400, "the shape [1, 1, 1]", "float32[N]")


def test_an_answer_of_another_version_than_the_known_one_is_not_kept(settings, model_server, fake):
    changed = settings.model_copy(update={"cache_bytes": 100_000})
    client = create_app(changed, model_server).test_client()
    assert client.post(ASK, json={"inputs": [0]}).status_code == 200
    fake.models["half_plus_two"][2] = fake.models["half_plus_two"][1]
    for _ in range(3):
        assert client.post(ASK, json={"inputs": [2]}).json == {"outputs": [3.0]}
    # The first answer is the news of version 2, the second one is kept.
    assert len(fake.requests) == 3
