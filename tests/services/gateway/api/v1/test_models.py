from __future__ import annotations

import json

import numpy as np
import pytest

from services.gateway.api.v1 import models
from services.gateway.app import create_app
from tests.fakes import GENERATOR, LOADING, FakeSignature, FakeVersion, Specs
from tests.services.gateway.problems import assert_problem


def test_every_configured_model_is_listed_with_its_versions_tasks_and_classes(client, fake):
    fake.models["classifier"][2] = FakeVersion(fake.models["classifier"][1].signatures, LOADING)
    del fake.models["half_plus_two"]
    assert client.get("/v1/models").json == {
        "models": [
            {
                "name": "classifier",
                "versions": [
                    {"version": "2", "state": "LOADING"},
                    {"version": "1", "state": "AVAILABLE"},
                ],
                "tasks": ["predict", "saliency"],
                "saliency_methods": ["gradient", "occlusion", "rise"],
                "classes": ["zero", "one", "two"],
                "images": {"height": 28, "width": 28, "channels": 1},
                "card": False,
            },
            {
                "name": "half_plus_two",
                "versions": [],
                "tasks": [],
                "saliency_methods": [],
                "classes": [],
                "images": None,
                "card": False,
            },
        ]
    }


@pytest.mark.parametrize(
    ("model", "images"),
    [
        ("inverter", {"height": 2, "width": 2, "channels": 3}),
        ("codec", {"height": 28, "width": 28, "channels": 1}),
        ("painter", {"height": 28, "width": 28, "channels": 1}),
        ("half_plus_two", None),
        ("examples", None),
    ],
)
def test_the_images_that_a_model_takes_or_makes_are_listed(
    settings, model_server, fake, model, images
):
    # Of a model that takes no images, those that it makes.
    fake.models["painter"] = {1: FakeVersion({"generate": GENERATOR["generate"]})}
    app = create_app(settings.model_copy(update={"models": (model,)}), model_server)
    [listed] = app.test_client().get("/v1/models").json["models"]
    assert listed["images"] == images


def test_a_model_that_takes_images_of_any_size_is_listed_without_their_size(client, fake):
    any_size: Specs = {"images": (np.float32, (-1, -1, -1, 3))}
    signature = FakeSignature(lambda inputs: inputs, any_size, any_size)
    fake.models["classifier"][1] = FakeVersion({"serving_default": signature})
    listed = client.get("/v1/models").json["models"][0]
    assert listed["images"] == {"height": None, "width": None, "channels": 3}


def test_a_plain_export_of_a_classifier_is_listed_as_one(settings, model_server):
    client = create_app(settings.model_copy(update={"models": ("plain",)}), model_server)
    [plain] = client.test_client().get("/v1/models").json["models"]
    assert plain["tasks"] == ["predict", "saliency"]
    assert plain["saliency_methods"] == ["occlusion", "rise"]
    assert plain["classes"] == [None, None, None]
    assert plain["images"] == {"height": 28, "width": 28, "channels": 1}


def test_a_model_that_is_still_loading_is_listed(client, fake):
    fake.models["classifier"][1].state = LOADING
    listed = client.get("/v1/models").json["models"][0]
    assert listed["versions"] == [{"version": "1", "state": "LOADING"}]
    assert listed["tasks"] == []
    assert listed["classes"] == []


def test_the_list_needs_the_model_server(client, fake):
    fake.stop()
    assert_problem(client.get("/v1/models"), 503, "model server")


@pytest.mark.parametrize("path", ["", "/versions/1", "/labels/stable"])
def test_the_status_is_tensorflow_servings(client, fake, path):
    fake.labels["stable"] = 1
    response = client.get(f"/v1/models/classifier{path}")
    assert response.mimetype == "application/json"
    assert response.json == {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


@pytest.mark.parametrize("path", ["", "/versions/1", "/labels/stable"])
def test_the_metadata_is_tensorflow_servings(client, fake, path):
    fake.labels["stable"] = 1
    document = client.get(f"/v1/models/half_plus_two{path}/metadata").json
    assert document["model_spec"] == {
        "name": "half_plus_two",
        "signature_name": "",
        "version": "1",
    }
    signature = document["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["x"] == {
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
    }
    assert "@type" not in json.dumps(document)


@pytest.mark.parametrize("path", ["nope", "nope/metadata", "classifier/versions/9"])
def test_what_is_not_served_is_not_found(client, path):
    response = client.get(f"/v1/models/{path}")
    assert response.status_code == 404
    assert_problem(response, 404, path.split("/")[0])


@pytest.fixture
def carded(settings, model_server, tmp_path):
    """A client of a gateway that sees the folder of the models, in which one has a card."""
    card = tmp_path / "classifier" / "1" / "assets.extra" / "README.md"
    card.parent.mkdir(parents=True)
    card.write_text("# Ünderstood\n")
    (tmp_path / "README.md").write_text("secret")
    (tmp_path / "codec").mkdir()
    changed = settings.model_copy(update={"model_config_file": tmp_path / "models.config"})
    return create_app(changed, model_server).test_client()


def test_a_card_is_answered_as_it_is(carded):
    response = carded.get("/v1/models/classifier/card")
    assert response.content_type == "text/markdown; charset=utf-8"
    assert response.text == "# Ünderstood\n"
    listed = {model["name"]: model["card"] for model in carded.get("/v1/models").json["models"]}
    assert listed == {"classifier": True, "half_plus_two": False}


def test_the_accuracy_of_a_card_is_listed(carded, tmp_path):
    def listed():
        return carded.get("/v1/models").json["models"][0]

    assert "accuracy" not in listed()
    card = tmp_path / "classifier" / "1" / "assets.extra" / "README.md"
    card.write_text("| measure | value |\n| --- | --: |\n| accuracy | 0.9245 |\n")
    assert listed()["accuracy"] == 0.9245


def test_a_card_that_is_removed_while_models_are_listed_is_no_error(carded, tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_find_card", lambda *_: tmp_path / "removed")
    answer = carded.get("/v1/models")
    assert answer.status_code == 200
    assert "accuracy" not in answer.json["models"][0]


@pytest.mark.parametrize("model", ["half_plus_two", "codec", "nope"])
def test_a_card_that_is_not_there_is_not_found(carded, model):
    assert_problem(carded.get(f"/v1/models/{model}/card"), 404, model, "README.md")


@pytest.mark.parametrize("model", ["..", "%2E%2E", "."])
def test_no_file_outside_the_folders_of_the_models_is_a_card(carded, model):
    assert "secret" not in carded.get(f"/v1/models/{model}/card").text
