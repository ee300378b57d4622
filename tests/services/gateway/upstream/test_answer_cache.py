from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.app import create_app
from services.gateway.upstream.answer_cache import AnswerCache, cache_key
from services.gateway.upstream.model_server import Prediction
from tests.fakes import HALF_PLUS_TWO, FakeVersion

VERSION = ("model", 3, "serving_default")
ONE = {"x": np.ones(1, np.float32)}


class Model:
    """Counts how often it is asked."""

    def __init__(self, version: int = 3, size: int = 1) -> None:
        self.asked = 0
        self._version = version
        self._size = size

    def __call__(self) -> Prediction:
        self.asked += 1
        return Prediction({"y": np.full(self._size, self.asked, np.float64)}, self._version)


def answer(cache: AnswerCache, question: tuple[str, int, str], inputs, model) -> Prediction:
    """Answer a question as the pipeline does."""
    key = cache_key(*question, inputs)
    found = cache.find(key)
    if found is None:
        found = model()
        cache.keep(key, found)
    return found


def test_another_choice_of_outputs_is_another_call():
    keys = {cache_key(*VERSION, ONE, outputs) for outputs in ((), ("y",), ("z",), ("y", "z"))}
    assert len(keys) == 4


def test_the_same_call_is_made_once():
    cache, model = AnswerCache(10_000), Model()
    first = answer(cache, VERSION, ONE, model)
    again = answer(cache, VERSION, {"x": np.ones(1, np.float32)}, model)
    assert model.asked == 1
    np.testing.assert_array_equal(first.outputs["y"], again.outputs["y"])
    assert again.version == 3
    assert not again.outputs["y"].flags.writeable


@pytest.mark.parametrize(
    ("version", "inputs"),
    [
        (("other", 3, "serving_default"), ONE),
        (("model", 4, "serving_default"), ONE),
        (("model", 3, "other"), ONE),
        (VERSION, {"x": np.zeros(1, np.float32)}),
        (VERSION, {"x": np.ones(1, np.int32)}),
        (VERSION, {"x": np.ones((1, 1), np.float32)}),
        (VERSION, {"z": np.ones(1, np.float32)}),
        (VERSION, {"x": np.array([b"1"], object)}),
    ],
)
def test_any_other_call_is_made(version, inputs):
    cache, model = AnswerCache(10_000), Model()
    answer(cache, VERSION, ONE, model)
    answer(cache, version, inputs, model)
    assert model.asked == 2


@given(st.lists(st.binary(max_size=3), max_size=4), st.lists(st.binary(max_size=3), max_size=4))
def test_strings_are_told_apart_however_they_are_cut(left, right):
    cache, model = AnswerCache(10_000), Model()
    for strings in (left, right):
        array = np.empty(len(strings), object)
        array[:] = strings
        answer(cache, VERSION, {"x": array}, model)
    assert model.asked == (1 if left == right else 2)


def test_memory_is_bounded_and_the_oldest_go_first():
    cache, model = AnswerCache(100_000), Model(size=1000)
    questions = [{"x": np.array([number])} for number in range(100)]
    for question in questions:
        answer(cache, VERSION, question, model)
    assert cache._answers.currsize <= 100_000
    assert len(cache._answers) > 5
    answer(cache, VERSION, questions[-1], model)
    assert model.asked == 100
    answer(cache, VERSION, questions[0], model)
    assert model.asked == 101


def test_too_large_answers_are_not_cached():
    cache, model = AnswerCache(2_000), Model(size=1000)
    for _ in range(2):
        answer(cache, VERSION, ONE, model)
    assert model.asked == 2


def test_a_kept_answer_does_not_hold_on_to_its_batch():
    cache = AnswerCache(10_000)
    batch = np.zeros((1000, 2))
    answer(cache, VERSION, ONE, lambda: Prediction({"y": batch[:1]}, 3))
    [kept] = cache._answers.values()
    assert kept.outputs["y"].base is None


@pytest.mark.parametrize(("cache_bytes", "asked"), [(0, 2), (100_000, 1)])
def test_it_is_off_unless_asked_for(settings, model_server, fake, cache_bytes, asked):
    app = create_app(settings.model_copy(update={"cache_bytes": cache_bytes}), model_server)
    client = app.test_client()
    for _ in range(2):
        response = client.post("/v1/models/half_plus_two:predict", json={"inputs": [2]})
        assert response.json == {"outputs": [3.0]}
    assert len(fake.requests) == asked


def test_a_new_version_is_asked_anew(settings, model_server, fake):
    client = create_app(
        settings.model_copy(update={"cache_bytes": 100_000}), model_server
    ).test_client()
    for version in (1, 2):
        fake.models["half_plus_two"][version] = FakeVersion(HALF_PLUS_TWO)
        path = f"/v1/models/half_plus_two/versions/{version}:predict"
        for _ in range(2):
            assert client.post(path, json={"inputs": [2]}).json == {"outputs": [3.0]}
    assert [request.model_spec.version.value for request in fake.requests] == [1, 2]
