from __future__ import annotations

import base64
import json
import signal
from pathlib import Path

import psutil
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.request.context import RequestContext
from services.gateway.settings import Settings
from services.gateway.telemetry.payload_log import Exchange, Message, PayloadLog, exchange_line
from tests.processes import wait_until
from tests.services.gateway.gateway_process import TIMEOUT, address, predict, started
from tests.services.gateway.images import PNG

JSON = "application/json"
BODY = {"token": "secret", "deep": [{"Token": {"a": 1}, "kept": 2}]}


def record(
    body: bytes | None, media_type: str, redacted: frozenset[str] = frozenset(), **members: object
) -> dict:
    headers = [("Content-Type", media_type), ("X-Api-Key", "secret"), ("X-Mine", "value")]
    answer = Message([("Set-Cookie", "secret")], JSON, 2, b"{}")
    request = Message(headers, media_type, len(body or b""), body)
    context = RequestContext(0.0, 1.0, "id", client="c", model="m", version="3")
    query = [("token", "secret"), ("top", "1")]
    exchange = Exchange(context, "now", 1.5, "POST", "/path", query, 200, request, answer)
    line = exchange_line(exchange, redacted)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    return json.loads(line)


def test_a_record_says_what_was_asked_and_answered():
    assert record(b'{"instances": [NaN, 1]}', JSON) == {
        "time": "now",
        "request_id": "id",
        "client": "c",
        "model": "m",
        "version": "3",
        "split": None,
        "arm": None,
        "method": "POST",
        "path": "/path",
        "query": {"token": "secret", "top": "1"},
        "status": 200,
        "milliseconds": 1.5,
        "request": {
            "headers": {"Content-Type": JSON, "X-Api-Key": "[redacted]", "X-Mine": "value"},
            "bytes": 23,
            "json": {"instances": [None, 1]},
        },
        "answer": {"headers": {"Set-Cookie": "[redacted]"}, "bytes": 2, "json": {}},
    }


def test_names_are_redacted_everywhere():
    found = record(json.dumps(BODY).encode(), JSON, frozenset({"token", "x-mine"}))
    assert "secret" not in json.dumps(found)
    assert found["request"]["json"]["deep"] == [{"Token": "[redacted]", "kept": 2}]
    assert found["request"]["headers"]["X-Mine"] == "[redacted]"


@pytest.mark.parametrize(
    ("body", "media_type", "is_kept"),
    [
        (PNG, "image/png", True),
        (b"token=secret", "application/x-www-form-urlencoded", False),
        (b'{"token": "secret"', JSON, False),
        (b"[" * 50_000, JSON, False),
        (b"[" * 600 + b"]" * 600, JSON, False),
        (b'["\\ud800"]', JSON, False),
    ],
)
def test_what_cannot_be_redacted_is_left_out(body, media_type, is_kept):
    request = record(body, media_type, frozenset({"token"}))["request"]
    assert ("b64" in request) is is_kept
    assert base64.b64decode(record(body, media_type)["request"]["b64"]) == body


def test_a_body_that_is_too_large_leaves_its_size():
    assert record(None, JSON)["request"].keys() == {"headers", "bytes"}


@given(
    st.binary() | st.recursive(st.text(st.characters()), st.lists).map(json.dumps).map(str.encode)
)
def test_every_body_makes_one_line(body):
    record(body, JSON)
    record(body, JSON, frozenset({"token"}))


@pytest.mark.parametrize("share", [0.25, 1])
def test_a_share_is_sampled(share, tmp_path):
    payload_log = PayloadLog(Settings(payload_log_share=share), str(tmp_path))
    sampled = sum(payload_log.is_sampled() for _ in range(4000)) / 4000
    assert sampled == pytest.approx(share, abs=0.05)  # Seven standard deviations.


def records(folder: Path) -> list[dict]:
    """All records; all lines are whole but the last of each file."""
    lines = [line for file in folder.glob("*") for line in file.read_bytes().splitlines(True)]
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def test_a_killed_worker_loses_only_what_was_unwritten(fake, tmp_path):
    folder = tmp_path / "payloads"
    settings = {"LECTERN_PAYLOAD_LOG": str(folder), "LECTERN_PAYLOAD_LOG_SHARE": "1"}
    with started(fake, **settings) as gateway:
        url = address(gateway)
        for _ in range(20):
            assert predict(url).ok
        wait_until(lambda: len(records(folder)) == 20, TIMEOUT, "twenty records")
        [worker] = psutil.Process(gateway.process.pid).children()
        worker.kill()

        def is_replaced() -> bool:
            try:
                return predict(url).ok
            except requests.ConnectionError:
                return False

        wait_until(is_replaced, TIMEOUT, "another worker")
        for _ in range(20):
            assert predict(url).ok
        assert gateway.stop(signal.SIGTERM) == 0
    # A worker that is told to stop loses none.
    assert len(records(folder)) == 41
    assert all(file.read_bytes().endswith(b"\n") for file in folder.iterdir())
    assert {each["model"] for each in records(folder)} == {"classifier"}
