from __future__ import annotations

import pytest

from tests.fakes import LOADING
from tests.services.gateway.problems import assert_problem

EXAMPLES = {"examples": [{"x": 0.5}, {"x": [-1.5]}]}


def test_classes_are_answered_as_tensorflow_serving_does(client):
    answer = client.post("/v1/models/examples:classify", json=EXAMPLES)
    assert answer.json == {"results": [[["above", 0.5]], [["below", -1.5]]]}


def test_numbers_are_answered_as_tensorflow_serving_does(client):
    answer = client.post("/v1/models/examples/versions/1:regress", json=EXAMPLES)
    assert answer.json == {"results": [0.5, -1.5]}


@pytest.mark.parametrize("verb", ["classify", "regress"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ["empty"]),
        (b"[]", ["not object"]),
        (b"{}", ["'examples'"]),
        (b'{"examples": [{"y": 1.0}]}', ["Feature: x"]),
    ],
)
def test_bad_examples_are_explained(client, verb, body, words):
    assert_problem(client.post(f"/v1/models/examples:{verb}", data=body), 400, *words)


@pytest.mark.parametrize("verb", ["classify", "regress"])
def test_a_parameter_in_the_query_is_refused(client, verb):
    answer = client.post(f"/v1/models/examples:{verb}?top=1", json=EXAMPLES)
    assert_problem(answer, 400, "'top' = '1'", "expected none")


def test_an_unknown_model_is_not_found_and_a_loading_one_not_ready(client, fake):
    assert_problem(client.post("/v1/models/nope:classify", json=EXAMPLES), 404, "nope")
    fake.models["examples"][1].state = LOADING
    assert_problem(client.post("/v1/models/examples:classify", json=EXAMPLES), 503, "loading")


def test_a_model_that_takes_no_examples_says_so(client):
    answer = client.post("/v1/models/classifier:classify", json=EXAMPLES)
    assert_problem(answer, 400, "No signature for examples")
