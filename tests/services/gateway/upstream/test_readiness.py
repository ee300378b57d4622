from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from services.gateway.upstream import readiness
from services.gateway.upstream.readiness import Readiness
from tests.fakes import LOADING, FakeVersion


def test_one_available_version_is_enough(model_server, fake):
    fake.models["classifier"][2] = FakeVersion({}, LOADING)
    assert Readiness(model_server, ["classifier"]).obstacles() == {}


def test_models_with_the_same_reason_are_listed_together(model_server):
    obstacles = Readiness(model_server, ["a", "classifier", "b"]).obstacles()
    assert obstacles == {"the model server does not know it": ["a", "b"]}


def test_states_are_cached_for_half_a_second(model_server, fake):
    models = Readiness(model_server, ["classifier"])
    assert models.obstacles() == {}
    fake.models["classifier"][1].state = LOADING
    assert models.obstacles() == {}


def test_while_one_probe_refreshes_others_get_the_cached_states(model_server, fake, monkeypatch):
    monkeypatch.setattr(readiness, "_SECONDS_TO_LIVE", 0.0)
    models = Readiness(model_server, ["classifier"])
    assert models.obstacles() == {}
    ask, asked, may_go_on = model_server.status, threading.Event(), threading.Event()

    def wait_and_ask(*arguments):
        asked.set()
        may_go_on.wait(30)
        return ask(*arguments)

    monkeypatch.setattr(model_server, "status", wait_and_ask)
    monkeypatch.setattr(readiness, "_TIMEOUT_SECONDS", 60.0)
    with ThreadPoolExecutor(1) as pool:
        anew = pool.submit(models.obstacles)
        assert asked.wait(30)
        assert models.obstacles() == {}
        assert not anew.done()
        may_go_on.set()
        assert anew.result(30) == {}
