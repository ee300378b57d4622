"""Shadows through the gateway's calls."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from prometheus_client import REGISTRY

from services.gateway.app import create_app
from services.gateway.settings import Settings
from services.gateway.upstream.batching import Batcher
from services.gateway.upstream.model_server import ModelServer
from services.serving_api.tensors import to_ndarray
from tests.fakes import CLASSIFIER, FakeModelServer, FakeSignature, FakeVersion, classify
from tests.processes import wait_until
from tests.services.gateway.images import GREY, PNG

TIMEOUT = 30
IMAGES = np.stack([GREY, np.zeros_like(GREY), 255 - GREY])[..., np.newaxis].tolist()
DEFAULT = CLASSIFIER["serving_default"]


class Mirrored:
    """A gateway with a split whose shadow is the model `candidate`."""

    def __init__(
        self, settings: Settings, model_server: ModelServer, file: Path, **shadow: object
    ) -> None:
        self.name = f"split-{uuid.uuid4()}"
        split = {
            "name": self.name,
            "arms": [{"model": "classifier"}],
            "shadow": {"model": "candidate", "share": 1, **shadow},
        }
        file.write_text(json.dumps({"splits": [split]}))
        changes = {
            "models": ("classifier", "candidate"),
            "splits_file": file,
            "max_shadow_calls": 1,
        }
        changed = settings.model_copy(update=changes)
        self.app: Flask = create_app(changed, model_server)

    def ask(self, path: str = "", body: object = None) -> None:
        client = self.app.test_client()
        url = f"/v1/models/{path or self.name}:predict"
        response = client.post(url, json=body) if body else client.post(url, data=PNG)
        assert response.status_code == 200, response.text

    def value(self, metric: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(metric, {"split": self.name, **labels}) or 0.0

    def mirrored(self, status: str = "200") -> float:
        labels = {"arm": "candidate", "role": "shadow", "status": status}
        return self.value("split_requests_total", **labels)

    def dropped(self, reason: str) -> float:
        return self.value("split_shadow_drops_total", reason=reason)

    def wait_for(self, count: int, status: str = "200") -> None:
        wait_until(lambda: self.mirrored(status) == count, TIMEOUT, f"{count} mirrored calls")


class Gate:
    """A classifier that answers once it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)

    def __call__(self, inputs):
        self.begun.release()
        assert self.open.wait(TIMEOUT)
        return classify(inputs)


@pytest.fixture
def gate(fake: FakeModelServer) -> Iterator[Gate]:
    gate = Gate()
    signature = FakeSignature(gate, DEFAULT.inputs, DEFAULT.outputs)
    fake.models["candidate"] = {1: FakeVersion({"serving_default": signature})}
    yield gate
    gate.open.set()


@pytest.fixture
def mirrored(settings, model_server, fake, tmp_path) -> Mirrored:
    fake.models["candidate"] = {7: FakeVersion(CLASSIFIER)}
    return Mirrored(settings, model_server, tmp_path / "splits.json")


def test_the_shadow_is_asked_the_same_and_both_are_measured(mirrored, fake):
    mirrored.ask(body={"instances": IMAGES})
    mirrored.wait_for(1)
    asked = [each for each in fake.requests if each.model_spec.name == "candidate"]
    [call] = [each for each in asked if each.model_spec.signature_name == "serving_default"]
    np.testing.assert_array_equal(to_ndarray(call.inputs["images"]), IMAGES)
    for arm, role in (("classifier", "live"), ("candidate", "shadow")):
        for metric in ("split_confidence_count", "split_call_duration_seconds_count"):
            assert mirrored.value(metric, arm=arm, role=role) == 1


def test_texts_are_no_scores(mirrored, fake):
    words = FakeSignature(
        lambda inputs: {"probabilities": np.full((len(inputs["images"]), 2), b"high", object)},
        DEFAULT.inputs,
        {"probabilities": (np.object_, (-1, 2))},
    )
    fake.models["classifier"] = fake.models["candidate"] = {1: FakeVersion({"words": words})}
    mirrored.ask(body={"signature_name": "words", "instances": IMAGES})
    mirrored.wait_for(1)
    assert mirrored.value("split_confidence_count", arm="classifier", role="live") == 0


def test_agreement_is_counted_by_row(mirrored, fake):
    """The shadow has another name for its input, as every plain export of Keras may."""

    def roll_the_first(inputs):
        answer = classify({"images": inputs["keras_tensor"]})["probabilities"]
        return {"output_0": np.concatenate([np.roll(answer[:1], 1, axis=1), answer[1:]])}

    plain = FakeSignature(
        roll_the_first,
        {"keras_tensor": DEFAULT.inputs["images"]},
        {"output_0": DEFAULT.outputs["probabilities"]},
    )
    fake.models["candidate"] = {8: FakeVersion({"serving_default": plain})}
    mirrored.ask(body={"instances": IMAGES})
    mirrored.wait_for(1)
    labels = {"arm": "classifier", "shadow": "candidate"}
    assert mirrored.value("split_compared_rows_total", outcome="alike", **labels) == 2
    assert mirrored.value("split_compared_rows_total", outcome="different", **labels) == 1


def test_callers_do_not_wait_for_a_shadow_and_what_is_too_much_is_dropped(
    settings, model_server, gate, tmp_path
):
    mirrored = Mirrored(settings, model_server, tmp_path / "splits.json", timeout_seconds=60)
    mirrored.ask()
    assert gate.begun.acquire(timeout=TIMEOUT)
    for _ in range(67):
        mirrored.ask()
    assert mirrored.dropped("queue") == 3
    assert not gate.begun.acquire(blocking=False)  # One is in flight, the rest waits.


def test_a_shadow_has_its_own_time_limit(settings, model_server, gate, tmp_path):
    mirrored = Mirrored(settings, model_server, tmp_path / "splits.json", timeout_seconds=0.3)
    for _ in range(8):
        mirrored.ask()

    def none_is_left() -> bool:
        return mirrored.dropped("late") + mirrored.mirrored("504") == 8

    wait_until(none_is_left, TIMEOUT, "each has failed or was too late")
    assert mirrored.mirrored("504")
    assert mirrored.dropped("late")


def test_while_callers_wait_for_the_model_server_nothing_is_mirrored(mirrored, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Batcher, "waiting_requests", 9)
        mirrored.ask()
    assert mirrored.dropped("load") == 1
    mirrored.ask()
    mirrored.wait_for(1)


@pytest.mark.parametrize(
    ("candidate", "status"),
    [
        ({}, "503"),  # A configured model may be loading.
        ({1: FakeVersion({"other": DEFAULT})}, "400"),
        (
            {
                1: FakeVersion(
                    {
                        "serving_default": FakeSignature(
                            classify, {"images": (np.float32, (-1, 2, 2, 1))}, DEFAULT.outputs
                        )
                    }
                )
            },
            "400",
        ),
        (
            {
                1: FakeVersion(
                    {
                        "serving_default": FakeSignature(
                            classify, {"x": (np.float32, (-1,)), "y": (np.float32, (-1,))}, {}
                        )
                    }
                )
            },
            "400",
        ),
    ],
    ids=["is gone", "other signature", "other shape", "other inputs"],
)
def test_a_shadow_that_fails_costs_no_caller_its_answer(mirrored, fake, candidate, status):
    fake.models["candidate"] = candidate
    mirrored.ask()
    mirrored.wait_for(1, status)


def test_an_arm_is_no_shadow_of_itself(settings, model_server, tmp_path):
    file = tmp_path / "splits.json"
    mirrored = Mirrored(settings, model_server, file, model="classifier")
    mirrored.ask()
    assert mirrored.value("split_requests_total", arm="classifier", role="live", status="200") == 1
    assert mirrored.value("split_shadow_drops_total") == 0
