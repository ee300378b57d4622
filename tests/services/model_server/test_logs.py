"""Logs that are not read on a terminal are JSON, wherever they come from."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import logging, os, structlog
from services.model_server.logs import configure_logs
configure_logs()
structlog.get_logger("ours").info("available", model="cnn")
logging.getLogger("theirs").warning("%d left", 3)
logging.getLogger("tensorflow").warning("deprecated")
logging.getLogger("theirs").info("levels %s", os.environ["TF_CPP_MIN_LOG_LEVEL"])
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("ours").exception("crashed")
"""


def test_every_line_is_json_with_a_level_and_a_time() -> None:
    environment = {"TF_CPP_MIN_LOG_LEVEL": "0"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    # The environment's own level stands, and TensorFlow's warnings are left out.
    assert [entry["event"] for entry in entries] == ["available", "3 left", "levels 0", "crashed"]
    assert [entry["level"] for entry in entries] == ["info", "warning", "info", "error"]
    assert all(entry["timestamp"].endswith("Z") for entry in entries)
    assert entries[0]["model"] == "cnn"
    assert entries[3]["exception"][0]["exc_type"] == "ZeroDivisionError"


def test_a_request_that_cannot_be_decoded_is_one_line() -> None:
    script = """
from services.model_server.logs import configure_logs
configure_logs()
from grpc._common import deserialize
from services.serving_api.protos import predict_pb2
assert deserialize(b"\\xff", predict_pb2.PredictRequest.FromString) is None
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    [entry] = [json.loads(line) for line in done.stderr.splitlines()]
    assert entry["event"] == "Exception deserializing message!"
    assert "exception" not in entry


def test_text_can_be_asked_for_where_there_is_no_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"LECTERN_LOG_FORMAT": "text"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "available" in done.stderr
    assert "model=cnn" in done.stderr
    assert "\x1b" not in done.stderr
    assert not done.stderr.startswith("{")
