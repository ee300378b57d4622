from __future__ import annotations

from services.gateway.upstream.readiness import Readiness
from tests.fakes import LOADING, FakeVersion


def test_one_available_version_is_enough(model_server, fake):
    fake.models["classifier"][2] = FakeVersion({}, LOADING)
    assert Readiness(model_server, ["classifier"]).obstacles() == {}


def test_models_with_the_same_trouble_are_told_together(model_server):
    obstacles = Readiness(model_server, ["a", "classifier", "b"]).obstacles()
    assert obstacles == {"the model server does not know it": ["a", "b"]}


def test_an_answer_serves_the_probes_of_half_a_second(model_server, fake):
    readiness = Readiness(model_server, ["classifier"])
    assert readiness.obstacles() == {}
    fake.models["classifier"][1].state = LOADING
    assert readiness.obstacles() == {}
