from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from services.gateway.codecs.rendering import to_picture
from services.gateway.codecs.tiling import contact_sheet
from services.gateway.inference.latent_space import interpolate
from tests.fakes import FakeVersion, decode_latent, generate
from tests.services.gateway.images import encode
from tests.services.gateway.problems import assert_problem

GENERATE = "/v1/models/generator:generate"
AS_JSON = {"Accept": "application/json"}


def expected(seeds: list[int], temperature: float = 1.0) -> dict[str, np.ndarray]:
    temperatures = np.full(len(seeds), temperature, np.float32)
    return generate({"seed": np.array(seeds), "temperature": temperatures})


def samples(client, **request: object) -> list[dict]:
    response = client.post(GENERATE, headers=AS_JSON, **request)
    assert response.status_code == 200, response.text
    return response.json["samples"]


def pixels(sample: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(sample["image"]["b64"]))))


def rounded(images: np.ndarray) -> np.ndarray:
    return np.rint(images.clip(0, 255)).astype(np.uint8)[..., 0]


@pytest.mark.parametrize("where", ["query", "form", "document"])
def test_every_sample_comes_with_its_seed_and_latent_vector(client, where):
    parameters = {"count": 3, "seed": 5, "temperature": 0.5}
    key = {"query": "query_string", "form": "data", "document": "json"}[where]
    found = samples(client, **{key: parameters})
    wanted = expected([5, 6, 7], 0.5)
    assert [sample["seed"] for sample in found] == [5, 6, 7]
    np.testing.assert_allclose([sample["latent"] for sample in found], wanted["latent"])
    for sample, image in zip(found, rounded(wanted["images"]), strict=True):
        np.testing.assert_array_equal(pixels(sample), image)


def test_without_parameters_it_is_a_sheet_of_sixteen(client):
    response = client.post(GENERATE)
    assert response.mimetype == "image/png"
    sheet = contact_sheet([*map(to_picture, expected([*range(16)])["images"])])
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(response.data))), np.asarray(sheet)
    )


def test_explicit_latent_vectors_are_decoded(client):
    latent = [[0.0, 1.0, -1.0, 2.0], [0.5, 0.5, 0.5, 0.5]]
    found = samples(client, json={"latent": latent})
    assert [sample["latent"] for sample in found] == latent
    assert [sample["seed"] for sample in found] == [None, None]
    images = rounded(decode_latent(np.array(latent)))
    np.testing.assert_array_equal([pixels(sample) for sample in found], images)


def test_what_was_answered_can_be_decoded_again(client):
    (first,) = samples(client, json={"count": 1, "seed": -3})
    (second,) = samples(client, json={"latent": [first["latent"]]})
    np.testing.assert_array_equal(pixels(first), pixels(second))


def test_a_walk_between_two_seeds(client):
    found = samples(client, query_string={"seed": 1, "to_seed": 9, "steps": 5})
    path = interpolate(*expected([1, 9])["latent"], 5)
    np.testing.assert_allclose([sample["latent"] for sample in found], path, rtol=1e-6)
    assert [sample["seed"] for sample in found] == [1, None, None, None, 9]


@pytest.mark.parametrize("how", ["form", "document"])
def test_a_walk_between_two_images(client, how):
    # What the fake decoder makes, it encodes without loss.
    images = np.kron([[[108, 128], [148, 128]], [[128, 88], [128, 168]]], np.ones((14, 14)))
    contents = [encode(image.astype(np.uint8)) for image in images]
    if how == "form":
        files = [(io.BytesIO(content), "a.png") for content in contents]
        sent = {"data": {"images": files, "steps": "3"}}
    else:
        encoded = [{"b64": base64.b64encode(content).decode()} for content in contents]
        sent = {"json": {"instances": encoded, "steps": 3}}
    found = samples(client, **sent)
    assert len(found) == 3
    np.testing.assert_allclose(found[0]["latent"], [-1, 0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(found[2]["latent"], [0, -2, 0, 2], atol=1e-6)
    np.testing.assert_array_equal(pixels(found[0]), images[0])


def test_both_halves_of_a_walk_go_to_the_same_version(client, fake):
    fake.models["generator"][2] = FakeVersion(fake.models["generator"][1].signatures)
    response = client.post(f"{GENERATE}?to_seed=3", headers=AS_JSON)
    assert response.json["model"]["version"] == "2"
    assert fake.requests[-1].model_spec.version.value == 2


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"count": 0}, ["'count'"]),
        ({"count": 65}, ["'count'", "64"]),
        ({"seed": 2**63}, ["'seed'"]),
        ({"temperature": -1}, ["'temperature'"]),
        ({"steps": 1, "to_seed": 2}, ["'steps'"]),
        ({"latent": [[1.0]]}, ["'latent'", "[1, 1]", "float32[N, 4]"]),
        ({"latent": [[1.0], [1.0, 2.0]]}, ["[1, 2] numbers", "one length"]),
        ({"latent": [["x"] * 1000]}, ["'latent.0.0'"]),
        ({"latent": []}, ["'latent'"]),
        ({"latent": [[1e300]]}, ["'latent.0.0'"]),
        ({"latent": [[0.0] * 4], "to_seed": 1}, ["['latent', 'to_seed']", "one of them"]),
        ({"instances": [[[[0.0]] * 28] * 28], "steps": 3}, ["1 images", "expected two"]),
        ({"tempo": 1}, ["'tempo'", "temperature"]),
    ],
)
def test_a_bad_parameter_is_explained(client, parameters, words):
    assert_problem(client.post(GENERATE, json=parameters), 400, *words)


def test_a_million_unknown_parameters_are_told_as_one(client):
    document = json.dumps({f"key{index}": index for index in range(10_000)})
    response = client.post(GENERATE, data=document, content_type="application/json")
    assert_problem(response, 400, "received the parameter 'key", "expected")


def test_a_model_that_does_not_generate_names_the_tasks_it_has(client):
    response = client.post("/v1/models/classifier:generate")
    assert_problem(response, 400, "no task 'generate'", "['predict', 'saliency']")


def test_a_decoder_alone_takes_latent_vectors(client, fake):
    signatures = dict(fake.models["generator"][1].signatures)
    del signatures["generate"]
    fake.models["generator"] = {1: FakeVersion(signatures)}
    assert len(samples(client, json={"latent": [[0.0] * 4]})) == 1
    assert_problem(client.post(GENERATE), 400, "signature 'generate'", "form of 'generate'")


def test_many_latent_vectors_are_decoded(client):
    latent = np.linspace(-1, 1, 256).reshape(64, 4).tolist()
    found = client.post(GENERATE, json={"latent": latent}, headers=AS_JSON).json["samples"]
    np.testing.assert_allclose([sample["latent"] for sample in found], latent, rtol=1e-6)
