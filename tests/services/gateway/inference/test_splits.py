"""Splits through the gateway's calls."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.gateway import watched_file
from services.gateway.app import create_app
from services.gateway.settings import SetupError
from tests.fakes import CLASSIFIER, FakeVersion, classify
from tests.services.gateway.images import GREY, PNG
from tests.services.gateway.problems import assert_problem

KEY = "a-key-of-sixteen-characters"
ARMS = [
    {"model": "classifier", "version": 1, "weight": 3},
    {"model": "classifier", "version": 2, "weight": 1},
]

Make = Callable[..., FlaskClient]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "splits.json"


@pytest.fixture
def serve(fake, settings, model_server, file, monkeypatch) -> Make:
    """Make a client of a gateway with a split of these members."""
    monkeypatch.setattr(watched_file, "SECONDS_BETWEEN_LOOKS", 0)
    fake.models["classifier"][2] = FakeVersion(CLASSIFIER)

    def make(name: str = "live", **members: object) -> FlaskClient:
        write(file, name, **members)
        changes = {
            "splits_file": file,
            "cascades": ("auto=classifier>plain@0.5",),
            "models": ("classifier", "plain"),
        }
        changed = settings.model_copy(update=changes)
        return create_app(changed, model_server).test_client()

    return make


def write(file: Path, name: str, **members: object) -> None:
    file.write_text(json.dumps({"splits": [{"name": name, "arms": ARMS, **members}]}))


def version(client: FlaskClient, path: str = "live", **headers: str) -> str:
    response = client.post(f"/v1/models/{path}:predict", data=PNG, headers=headers)
    assert response.status_code == 200, response.text
    return response.json["model"]["version"]


def versions(client: FlaskClient, count: int = 40, **headers: str) -> Counter[str]:
    return Counter(version(client, **headers) for _ in range(count))


def test_every_arm_answers_its_share(serve):
    found = versions(serve(), 80)
    assert 40 <= found["1"] < 80  # Five standard deviations of a share of three quarters.
    assert found["1"] + found["2"] == 80


def test_a_request_id_decides_where_nothing_is_sticky(serve):
    client = serve(sticky_header="X-User-Id")
    found = [versions(client, 3, **{"X-Request-Id": f"r{number}"}) for number in range(20)]
    assert all(len(each) == 1 for each in found)
    assert len(sum(found, Counter())) == 2


def test_a_header_is_sticky(serve):
    client = serve(sticky_header="X-User-Id")
    found = [versions(client, 3, **{"x-user-id": f"user {number}"}) for number in range(20)]
    assert all(len(each) == 1 for each in found)
    assert len(sum(found, Counter())) == 2


def test_an_api_key_is_sticky(serve, settings, model_server, file, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("\n".join(f"client{number}:{KEY}-{number}" for number in range(12)))
    write(file, "live", sticky_client=True)
    changed = settings.model_copy(update={"splits_file": file, "api_keys_file": keys})
    client = create_app(changed, model_server).test_client()
    found = [versions(client, 3, **{"X-API-Key": f"{KEY}-{number}"}) for number in range(12)]
    assert all(len(each) == 1 for each in found)
    assert len(sum(found, Counter())) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("v1/models/live:predict", {"instances": GREY[np.newaxis, ..., np.newaxis].tolist()}),
        ("v1/models/live:saliency", {"instances": GREY[np.newaxis, ..., np.newaxis].tolist()}),
        ("v1/models/live:predict", {"signature_name": "class_labels", "instances": [0]}),
    ],
)
def test_every_task_is_split(serve, fake, path, body):
    client = serve(arms=[ARMS[1]])
    assert client.post(path, json=body).status_code == 200
    assert fake.requests[-1].model_spec.version.value == 2


def test_the_open_inference_protocol_is_split(serve):
    client = serve(arms=[ARMS[1]])
    tensor = {"name": "images", "shape": [1, 28, 28, 1], "datatype": "FP32"}
    tensor["data"] = GREY.ravel().tolist()
    answer = client.post("/v2/models/live/infer", json={"inputs": [tensor]}).json
    assert (answer["model_name"], answer["model_version"]) == ("classifier", "2")
    assert client.get("/v2/models/live/ready").status_code == 200
    assert client.get("/v2/models/live").json["versions"] == ["2", "1"]


def test_a_model_may_be_split_under_its_own_name(serve):
    client = serve("classifier", arms=[ARMS[1]])
    assert version(client, "classifier") == "2"
    assert version(client, "classifier/versions/1") == "1"
    listed = {each["name"]: each for each in client.get("/v1/models").json["models"]}
    assert listed["classifier"]["split"]["arms"][0]["version"] == "2"
    assert len(listed["classifier"]["versions"]) == 2
    status = client.get("/v1/models/classifier/versions/1").json
    assert status.keys() == {"model_version_status"}


def test_it_says_how_it_is_split(serve):
    shadow = {"model": "plain", "label": "next", "share": 0.5}
    client = serve(shadow=shadow, sticky_header="X-User-Id")
    expected = {
        "arms": [
            {"model": "classifier", "version": "1", "share": 0.75},
            {"model": "classifier", "version": "2", "share": 0.25},
        ],
        "shadow": shadow,
        "sticky_header": "X-User-Id",
        "sticky_client": False,
    }
    status = client.get("/v1/models/live").json
    assert status["split"] == expected
    states = [(each["version"], each["state"]) for each in status["model_version_status"]]
    assert states == [("2", "AVAILABLE"), ("1", "AVAILABLE")]
    [listed] = [each for each in client.get("/v1/models").json["models"] if each["name"] == "live"]
    assert listed["split"] == expected
    assert listed["tasks"] == ["predict", "saliency"]
    metadata = client.get("/v1/models/live/metadata").json
    assert metadata == client.get("/v1/models/classifier/versions/1/metadata").json


def test_a_version_of_a_split_is_explained(serve):
    response = serve().post("/v1/models/live/versions/1:predict", data=PNG)
    assert_problem(response, 400, "'live' is a split", "classifier/versions/1, classifier/versions")


def test_an_arm_that_is_gone_is_named(serve, fake):
    client = serve(arms=[ARMS[1]])
    del fake.models["classifier"][2]
    assert_problem(client.post("/v1/models/live:predict", data=PNG), 404, "classifier, 2")


@pytest.mark.parametrize(
    ("name", "members", "words"),
    [
        ("auto", {}, "names the cascade 'auto'"),
        ("live", {"shadow": {"model": "auto", "share": 1}}, "names the cascade 'auto'"),
        ("live", {"arms": []}, "at least 1 item"),
        ("live", {"arms": [{"model": "clasifier"}]}, "no model 'clasifier'"),
        ("live", {"shadow": {"model": "other", "share": 1}}, "no model 'other'"),
    ],
)
def test_a_bad_file_is_refused_at_the_start(serve, name, members, words):
    with pytest.raises(SetupError, match=words):
        serve(name, **members)


def test_a_file_that_is_not_there_is_refused_at_the_start(serve, file, settings, model_server):
    with pytest.raises(SetupError, match="LECTERN_SPLITS_FILE"):
        create_app(settings.model_copy(update={"splits_file": file}), model_server)


def test_a_changed_file_is_taken_and_a_bad_one_changes_nothing(serve, file):
    client = serve(arms=[ARMS[0]])
    assert version(client) == "1"
    write(file, "live", arms=[ARMS[1]])
    assert version(client) == "2"
    with capture_logs() as lines:
        write(file, "live", arms=[{"model": "auto"}])
        assert [version(client) for _ in range(3)] == ["2"] * 3
    [line] = [line for line in lines if line["event"] == "ignored the changed file"]
    assert "names the cascade 'auto'" in line["reason"]


def test_each_arm_has_its_metrics(serve, fake):
    name = f"split-{uuid.uuid4()}"
    client = serve(name, arms=[ARMS[0]])
    arm = {"split": name, "arm": "classifier/versions/1", "role": "live"}
    with capture_logs() as lines:
        version(client, name)
    assert [line["arm"] for line in lines if line["event"] == "request"] == [arm["arm"]]
    client.post(f"/v1/models/{name}:predict", data=b"no image")
    del fake.models["classifier"][1]
    client.post(f"/v1/models/{name}:predict", data=PNG)
    client.get(f"/v1/models/{name}")  # Is no call of an arm.

    def value(metric: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(metric, {**arm, **labels})

    counts = [value("split_requests_total", status=each) for each in ("200", "400", "404")]
    assert counts == [1, 1, 1]
    assert value("split_call_duration_seconds_count") == 1
    assert value("split_confidence_count") == 1
    images = GREY[np.newaxis, ..., np.newaxis].astype(np.float32)
    confidence = classify({"images": images})["probabilities"].max()
    assert value("split_confidence_sum") == pytest.approx(confidence, rel=1e-5)
