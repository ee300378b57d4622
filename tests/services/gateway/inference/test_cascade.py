"""Cascades through the gateway's calls."""

from __future__ import annotations

import io

import numpy as np
import pytest

from services.gateway.app import create_app
from services.gateway.request.errors import DeadlineExceeded
from services.serving_api.tensors import to_ndarray
from tests.fakes import CLASSIFIER, FakeModelServer, FakeSignature, FakeVersion, classify
from tests.services.gateway.images import GREY, encode
from tests.services.gateway.problems import assert_problem

AUTO = "/v1/models/auto:predict"
IMAGES = np.stack([GREY, np.zeros_like(GREY), 255 - GREY]).astype(np.float32)[..., np.newaxis]
SURE = classify({"images": IMAGES})["probabilities"].max(1)
ROW = (np.float32, (-1,))
THRESHOLD = float(np.sort(SURE)[1:].mean())  # Two of the three images lie below it.
ESCALATED = SURE < THRESHOLD


def opposite(inputs):
    """A large model that is easily told from the small one."""
    answer = classify(inputs)
    return {**answer, "probabilities": answer["probabilities"][:, ::-1]}


LARGE = {
    **CLASSIFIER,
    "serving_default": FakeSignature(
        opposite, CLASSIFIER["serving_default"].inputs, CLASSIFIER["serving_default"].outputs
    ),
}


@pytest.fixture
def cascade(fake, settings, model_server):
    fake.models["large"] = {4: FakeVersion(LARGE)}
    cascades = (f"auto=classifier>large@{THRESHOLD:.6f}", "odd=classifier>inverter@1")
    changed = settings.model_copy(update={"cascades": cascades})
    return create_app(changed, model_server).test_client()


def predictions(fake: FakeModelServer) -> list:
    """What was asked, other than the labels that the gateway looks up."""
    return [
        request
        for request in fake.requests
        if request.model_spec.signature_name == "serving_default"
    ]


def speakers() -> list[dict[str, str]]:
    large, small = {"name": "large", "version": "4"}, {"name": "classifier", "version": "1"}
    return [large if escalated else small for escalated in ESCALATED]


def expected() -> np.ndarray:
    small = classify({"images": IMAGES})["probabilities"]
    return np.where(ESCALATED[:, np.newaxis], small[:, ::-1], small)


def test_every_image_is_answered_by_the_model_that_is_to_answer_it(cascade):
    assert ESCALATED.sum() == 2
    files = [(io.BytesIO(encode(image[..., 0].astype(np.uint8))), "a.png") for image in IMAGES]
    answer = cascade.post(f"{AUTO}?top=3", data={"images": files}).json
    assert answer["cascade"] == "auto"
    assert [prediction["model"] for prediction in answer["predictions"]] == speakers()
    for prediction, probabilities in zip(answer["predictions"], expected(), strict=True):
        found = {each["class_index"]: each["probability"] for each in prediction["top"]}
        np.testing.assert_allclose([found[index] for index in range(3)], probabilities, rtol=1e-5)


def test_the_large_model_sees_only_what_the_small_one_is_unsure_of(cascade, fake):
    cascade.post(AUTO, json={"instances": IMAGES.tolist()})
    small, large = predictions(fake)
    assert (small.model_spec.name, large.model_spec.name) == ("classifier", "large")
    np.testing.assert_array_equal(to_ndarray(large.inputs["images"]), IMAGES[ESCALATED])


def test_the_large_model_is_not_asked_where_the_small_one_is_sure(cascade, fake):
    cascade.post(AUTO, json={"instances": IMAGES[~ESCALATED].tolist()})
    assert [request.model_spec.name for request in predictions(fake)] == ["classifier"]


@pytest.mark.parametrize("sure", [False, True])
def test_the_outputs_are_the_same_whichever_model_answered(cascade, fake, sure):
    specs = dict(CLASSIFIER["serving_default"].outputs)
    del specs["logits"]
    large = FakeSignature(opposite, CLASSIFIER["serving_default"].inputs, {**specs, "more": ROW})
    fake.models["large"] = {4: FakeVersion({"serving_default": large})}
    images = IMAGES[~ESCALATED] if sure else IMAGES
    outputs = cascade.post(AUTO, json={"inputs": images.tolist()}).json["outputs"]
    shared = ["class_index", "label", "model_name", "model_version", "probabilities"]
    assert sorted(outputs) == shared


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_json_is_tensorflow_servings_with_the_answering_model_in_every_row(cascade, form):
    answer = cascade.post(AUTO, json={form: IMAGES.tolist()}).json
    if form == "inputs":
        columns = answer["outputs"]
    else:
        rows = answer["predictions"]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
    assert columns["model_name"] == [speaker["name"] for speaker in speakers()]
    assert columns["model_version"] == [int(speaker["version"]) for speaker in speakers()]
    np.testing.assert_allclose(columns["probabilities"], expected(), rtol=1e-5)


def test_it_is_listed_and_described_by_its_small_model(cascade):
    listed = {model["name"]: model for model in cascade.get("/v1/models").json["models"]}
    assert listed["auto"] == {
        "name": "auto",
        "versions": [],
        "tasks": ["predict"],
        "cascade": {"small": "classifier", "large": "large", "threshold": round(THRESHOLD, 6)},
    }
    for path in ("", "/metadata"):
        small = cascade.get(f"/v1/models/classifier{path}").json
        assert cascade.get(f"/v1/models/auto{path}").json == small


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("auto/versions/1:predict", ["no versions", "'classifier' or 'large'"]),
        ("auto/labels/l:predict", ["no versions and no labels"]),
        ("auto:saliency", ["only the task 'predict'", "'classifier' or 'large'"]),
        ("odd:predict", ["'inverter' has the outputs {'images'", "'probabilities' [N, K]"]),
    ],
)
def test_what_a_cascade_cannot_do_is_explained(cascade, path, words):
    response = cascade.post(f"/v1/models/{path}", json={"instances": IMAGES.tolist()})
    assert_problem(response, 400, *words)


def test_only_the_default_signature_cascades(cascade):
    body = {"signature_name": "class_labels", "instances": [1]}
    assert_problem(cascade.post(AUTO, json=body), 400, "'class_labels'", "serving_default")


def test_a_large_model_that_answers_otherwise_is_explained(cascade, fake):
    odd = FakeSignature(
        lambda inputs: {"probabilities": np.zeros((len(inputs["images"]), 7), np.float32)},
        CLASSIFIER["serving_default"].inputs,
        {"probabilities": (np.float32, (-1, 7))},
    )
    fake.models["large"] = {5: FakeVersion({"serving_default": odd})}
    response = cascade.post(AUTO, json={"instances": IMAGES.tolist()})
    assert_problem(response, 400, "'auto' differ in 'probabilities'", "[2, 7]")


def test_a_large_model_that_takes_other_images_is_explained(cascade, fake):
    images = {"images": (np.float32, (-1, 2, 2, 1))}
    outputs = CLASSIFIER["serving_default"].outputs
    fake.models["large"] = {
        5: FakeVersion({"serving_default": FakeSignature(classify, images, outputs)})
    }
    response = cascade.post(AUTO, json={"instances": IMAGES.tolist()})
    assert_problem(response, 400, "28, 28, 1]", "float32[N, 2, 2, 1]")


def test_a_model_that_is_gone_is_named(cascade, fake):
    del fake.models["large"]
    assert_problem(cascade.post(AUTO, json={"instances": IMAGES.tolist()}), 404, "large")


def test_while_the_large_model_is_gone_sure_images_are_answered(cascade, fake):
    del fake.models["large"]
    response = cascade.post(AUTO, json={"instances": IMAGES[~ESCALATED].tolist()})
    assert response.status_code == 200
    assert {row["model_name"] for row in response.json["predictions"]} == {"classifier"}


@pytest.mark.parametrize("images", [IMAGES, IMAGES[~ESCALATED]])
def test_a_large_model_whose_description_takes_too_long_is_a_timeout(
    cascade, model_server, monkeypatch, images
):
    ask = model_server.metadata

    def hang(ref, context):
        if ref.name == "large":
            raise DeadlineExceeded
        return ask(ref, context)

    monkeypatch.setattr(model_server, "metadata", hang)
    assert_problem(cascade.post(AUTO, json={"instances": images.tolist()}), 504, "deadline")
