from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from services.gateway.app import create_app
from services.serving_api.tensors import to_ndarray
from tests.fakes import FakeVersion, continue_text
from tests.services.gateway.problems import assert_problem

GENERATE = "/v1/models/writer:generate"
PROMPT = "Im Anfang schuf Gott Himmel und Erde; größer"


def expected(prompt: str, seed: int, temperature: float = 1.0) -> dict[str, object]:
    inputs = {
        "prompt": np.array([prompt.encode()], object),
        "seed": np.array([seed]),
        "temperature": np.array([temperature], np.float32),
    }
    [text] = continue_text(inputs)["text"]
    return {"seed": seed, "prompt": prompt, "text": text.decode()}


def test_a_prompt_is_continued(client, fake):
    response = client.post(GENERATE, json={"prompt": PROMPT, "seed": -7, "temperature": 0.5})
    assert response.json == {
        "model": {"name": "writer", "version": "1"},
        "samples": [expected(PROMPT, -7, 0.5)],
    }
    [request] = fake.requests
    assert (request.model_spec.signature_name, [*request.output_filter]) == (
        "generate_text",
        ["text"],
    )
    dtypes = {name: to_ndarray(each).dtype for name, each in request.inputs.items()}
    assert dtypes == {"prompt": object, "seed": np.int64, "temperature": np.float32}


def test_every_prompt_is_continued_once_for_each_seed(client):
    response = client.post(GENERATE, json={"prompt": ["a", "bc"], "count": 2, "seed": 5})
    assert response.json["samples"] == [
        *(expected("a", 5), expected("a", 6)),
        *(expected("bc", 5), expected("bc", 6)),
    ]


@pytest.mark.parametrize(
    "sent",
    [
        {"query_string": {"prompt": "a,b", "seed": 3}},
        {"data": {"prompt": "a,b", "seed": "3"}},
        {"data": {"prompt": "a,b", "seed": "3"}, "content_type": "multipart/form-data"},
    ],
)
def test_a_prompt_may_be_in_the_query_or_in_a_form(client, sent):
    assert client.post(GENERATE, **sent).json["samples"] == [expected("a,b", 3)]


@pytest.mark.parametrize("sent", [{}, {"json": {"seed": 0}}, {"json": {"prompt": ""}}])
def test_a_model_of_text_alone_continues_the_empty_prompt(client, sent):
    assert client.post(GENERATE, **sent).json["samples"] == [expected("", 0)]


def test_the_prompt_chooses_between_the_tasks_of_a_model_that_has_both(client, fake):
    both = {**fake.models["generator"][1].signatures, **fake.models["writer"][1].signatures}
    fake.models["both"] = {1: FakeVersion(both)}
    url = "/v1/models/both:generate"
    assert client.post(url).mimetype == "image/png"
    assert client.post(url, json={"prompt": ""}).json["samples"] == [expected("", 0)]


def test_a_version_or_a_label_is_asked(client, fake):
    fake.models["writer"][2] = fake.models["writer"][1]
    fake.labels["stable"] = 1
    for path, version in (("writer", "2"), ("writer/labels/stable", "1")):
        response = client.post(f"/v1/models/{path}:generate", json={"prompt": "a"})
        assert response.json["model"] == {"name": "writer", "version": version}


def test_one_continuation_is_answered_as_text_on_request(client):
    headers = {"Accept": "text/plain"}
    response = client.post(GENERATE, json={"prompt": PROMPT, "seed": 2}, headers=headers)
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.text == expected(PROMPT, 2)["text"]
    several = client.post(GENERATE, json={"prompt": ["a", "b"]}, headers=headers)
    assert_problem(several, 400, "2 prompts and count=1", "ask for application/json")


def test_text_is_no_picture(client):
    response = client.post(GENERATE, json={"prompt": "a"}, headers={"Accept": "image/png"})
    assert_problem(response, 406, "image/png", "application/json, text/plain")


def test_bytes_that_are_no_text_are_answered_as_replacement_characters(client, fake):
    cut = dataclasses.replace(
        fake.models["writer"][1].signatures["generate_text"],
        function=lambda _: {"text": np.array(["ä".encode()[:1]], object)},
    )
    fake.models["writer"][1] = FakeVersion({"generate_text": cut})
    assert client.post(GENERATE, json={"prompt": "a"}).json["samples"][0]["text"] == "\ufffd"


@pytest.mark.parametrize(
    ("parameters", "status", "words"),
    [
        ({"prompt": 5}, 400, ["'prompt.0'", "valid string", "5"]),
        ({"prompt": []}, 400, ["'prompt'", "at least 1"]),
        ({"prompt": ["a"] * 65}, 400, ["'prompt'", "at most 64"]),
        ({"prompt": "a" * 4097}, 400, ["'prompt.0'", "at most 4096 characters"]),
        ({"prompt": ["a"] * 33, "count": 2}, 413, ["66 examples", "at most 64"]),
        ({"prompt": "a", "count": 65}, 400, ["'count'", "64"]),
        ({"prompt": "a", "seed": 2**63}, 400, ["'seed'"]),
        ({"prompt": "a", "temperature": 10.5}, 400, ["'temperature'", "10"]),
        ({"prompt": "a", "temperature": -0.1}, 400, ["'temperature'", "0"]),
        ({"prompt": "a", "to_seed": 1}, 400, ["['to_seed', 'prompt']", "one of them"]),
        ({"prompt": "a", "latent": [[1.0]]}, 400, ["['latent', 'prompt']", "one of them"]),
        ({"latent": [[1.0]]}, 400, ["no task 'generate'", "['generate_text']"]),
    ],
)
def test_a_bad_request_is_explained(client, parameters, status, words):
    assert_problem(client.post(GENERATE, json=parameters), status, *words)


def test_half_of_a_surrogate_pair_is_refused(client):
    content = b'{"prompt": "\\ud800"}'
    response = client.post(GENERATE, data=content, content_type="application/json")
    assert_problem(response, 400)


def test_a_model_of_images_names_the_tasks_it_has(client):
    response = client.post("/v1/models/generator:generate", json={"prompt": "a"})
    assert_problem(response, 400, "no task 'generate_text'", "['generate']")


def test_the_same_question_is_answered_from_the_cache(settings, model_server, fake):
    settings = settings.model_copy(update={"cache_bytes": 2**20})
    client = create_app(settings, model_server).test_client()
    for seed in (1, 1, 2):
        response = client.post(GENERATE, json={"prompt": PROMPT, "seed": seed})
        assert response.json["samples"] == [expected(PROMPT, seed)]
    assert len(fake.requests) == 2


def test_the_task_is_listed(settings, model_server):
    settings = settings.model_copy(update={"models": ("writer", "words")})
    models = create_app(settings, model_server).test_client().get("/v1/models").json["models"]
    assert [model["tasks"] for model in models] == [["generate_text"], []]
