from __future__ import annotations

import base64
import gzip
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from services.gateway.app import create_app
from services.gateway.telemetry.payload_log import PayloadLog
from tests.processes import wait_until
from tests.services.gateway.disk import fill
from tests.services.gateway.images import PNG

PREDICT = "/v1/models/half_plus_two:predict"
TIMEOUT = 30

Make = Callable[..., FlaskClient]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "payloads"


@pytest.fixture
def serve(settings, model_server, folder) -> Make:
    def make(target: Path = folder, **changes: object) -> FlaskClient:
        update = {"payload_log": str(target), "payload_log_share": 1.0, **changes}
        return create_app(settings.model_copy(update=update), model_server).test_client()

    return make


def records(folder: Path, count: int) -> list[dict]:
    def lines() -> list[str]:
        return [line for file in folder.glob("payloads-*") for line in file.read_text().split("\n")]

    wait_until(lambda: sum(map(bool, lines())) >= count, TIMEOUT, f"{count} records")
    found = [json.loads(line) for line in lines() if line]
    assert len(found) == count
    return found


def test_a_call_and_its_answer_are_recorded(serve, folder):
    headers = {"X-Request-Id": "mine", "Authorization": "Bearer secret"}
    client = serve()
    answer = client.post(PREDICT, json={"instances": [2]}, headers=headers)
    [record] = records(folder, 1)
    assert record["request"]["json"] == {"instances": [2]}
    assert record["answer"]["json"] == answer.json == {"predictions": [3.0]}
    assert (record["request_id"], record["model"], record["version"]) == (
        "mine",
        "half_plus_two",
        "1",
    )
    assert (record["status"], record["path"]) == (200, PREDICT)
    assert record["request"]["headers"]["Authorization"] == "[redacted]"


def test_every_form_of_a_body_is_recorded_as_the_model_gets_it(serve, folder):
    client = serve()
    zipped = gzip.compress(b'{"instances": [2]}')
    assert client.post(PREDICT, data=zipped, headers={"Content-Encoding": "gzip"}).json
    classify = "/v1/models/classifier:predict"
    assert client.post(classify, data=PNG).status_code == 200
    form = {"files": (io.BytesIO(PNG), "a.png")}
    assert client.post(classify, data=form).status_code == 200
    found = [record["request"] for record in records(folder, 3)]
    assert found[0]["json"] == {"instances": [2]}
    assert base64.b64decode(found[1]["b64"]) == PNG
    assert PNG in base64.b64decode(found[2]["b64"])


def test_a_large_body_is_left_out(serve, folder):
    client = serve(payload_log_body_bytes=100)
    client.post(PREDICT, json={"instances": [2.25] * 100})
    [record] = records(folder, 1)
    assert "json" not in record["request"]
    assert "json" not in record["answer"]
    assert record["request"]["bytes"] > 400


def test_only_calls_of_models_are_recorded(serve, folder):
    client = serve()
    client.get("/v1/models")
    client.post("/v1/models/unknown:predict", json={"instances": [1]})
    client.post("/nothing")
    client.post(PREDICT, json={"instances": ["no number"]})
    [record] = records(folder, 1)
    assert record["status"] == 400


def count(outcome: str) -> float:
    labels = {"outcome": outcome}
    return REGISTRY.get_sample_value("payload_log_records_total", labels) or 0.0


def test_a_log_that_cannot_keep_up_drops_and_every_call_is_answered(serve, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(PayloadLog, "_write", lambda *_: go.wait(TIMEOUT))
    client, before = serve(), count("queue_full")
    for _ in range(260):
        assert client.post(PREDICT, json={"instances": [2]}).status_code == 200
    assert count("queue_full") - before in {3, 4}
    go.set()


def test_a_full_disk_costs_records_and_no_answer(serve, disk):
    client = serve(disk)
    assert client.post(PREDICT, json={"instances": [2]}).status_code == 200
    records(disk, 1)
    filler, before = fill(disk), count("write_failed")
    for _ in range(20):
        assert client.post(PREDICT, json={"instances": [2]}).status_code == 200
    wait_until(lambda: count("write_failed") - before >= 5, TIMEOUT, "drops are counted")
    filler.unlink()
    assert client.post(PREDICT, json={"instances": [3]}).status_code == 200

    def is_recorded() -> bool:
        lines = [
            line
            for file in sorted(disk.glob("payloads-*"))
            for line in file.read_text().splitlines()
        ]
        return json.loads(lines[-1])["request"]["json"] == {"instances": [3]}

    wait_until(is_recorded, TIMEOUT, "the log goes on")
