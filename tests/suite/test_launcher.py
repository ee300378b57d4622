"""The output and the end of `make run`."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import subprocess
from pathlib import Path

import psutil
import pytest
import requests

from tests.processes import ROOT, SAMPLES, free_port, module, running, wait_until

NAMES = ("GATEWAY_PORT", "GRPC_PORT", "REST_PORT")


@pytest.fixture
def quiet(tmp_path: Path) -> dict[str, str]:
    """Environment of a suite as a user starts it, with free ports and a log file of its own."""
    ports = {name: str(free_port()) for name in NAMES}
    return {**ports, "XDG_STATE_HOME": str(tmp_path), "VERBOSE": ""}


def test_the_greeting_has_a_curl_command_that_works(suite):
    assert suite.gateway in suite.greeting
    assert "sees: Ankle boot" in suite.greeting
    assert f"Studio: {suite.gateway}\n" in suite.greeting
    command = shlex.split(suite.greeting.partition("Try it: ")[2].splitlines()[0])
    assert command[0] == "curl"
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=30).stdout
    assert json.loads(answer)["predictions"][0]["label"] == "Ankle boot"


def test_all_models_are_announced(suite):
    line = suite.launcher.wait_for_line("models are loaded.", seconds=300)
    assert re.fullmatch(r"All \d+ models are loaded\.", line)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_ends_every_process(number, quiet):
    with running(*module("services"), environment=quiet) as launcher:
        launcher.wait_for_line("Lectern is ready", seconds=300)
        children = psutil.Process(launcher.process.pid).children(recursive=True)
        assert len(children) >= 3
        assert launcher.stop(number) == 0, launcher.output
        assert "Traceback" not in launcher.output
        assert not [child for child in children if child.is_running()]
    # The logs are in a file; without a terminal nothing is overwritten.
    assert launcher.lines[-1] == "Lectern has stopped."
    assert "model-server |" not in launcher.output
    assert "\x1b" not in launcher.output
    log = Path(quiet["XDG_STATE_HOME"], "lectern", f"{quiet['GATEWAY_PORT']}.log")
    assert f"Logs:   {log}" in launcher.output
    lines = log.read_text()
    assert "model-server |" in lines
    assert "absl" not in lines
    # Its own polls are not logged.
    assert "path=/livez" not in lines
    assert "path=/v1/models " not in lines


def test_a_killed_model_server_is_started_again(quiet):
    with running(*module("services"), environment=quiet) as launcher:
        launcher.wait_for_line("Lectern is ready", seconds=300)
        url = f"http://127.0.0.1:{quiet['GATEWAY_PORT']}/v1/models/cnn:predict"
        image = (SAMPLES / "ankle_boot.png").read_bytes()
        children = psutil.Process(launcher.process.pid).children()
        [model_server] = [each for each in children if "services.model_server" in each.cmdline()]
        model_server.send_signal(signal.SIGABRT)
        launcher.wait_for_line("model-server | was killed by SIGABRT: starting it again")
        # The end of its log comes first.
        assert "available" in launcher.output
        wait_until(lambda: requests.post(url, image, timeout=30).ok, 120, "predictions again")
        assert launcher.stop() == 0, launcher.output
        assert "Traceback" not in launcher.output


@pytest.mark.parametrize("name", NAMES)
def test_a_port_in_use_is_one_clear_line(name):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = {other: str(free_port()) for other in NAMES} | {name: port}
        with running(*module("services"), environment=ports) as launcher:
            assert launcher.wait() == 2
            (line,) = launcher.lines
    assert f"Port {port} cannot be used" in line
    assert f"make run {name}=" in line


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1"])
def test_an_invalid_port_is_one_clear_line(text):
    ports = {name: str(free_port()) for name in NAMES} | {"GRPC_PORT": text}
    with running(*module("services"), environment=ports) as launcher:
        assert launcher.wait() == 2
        assert launcher.output == f"GRPC_PORT is {text!r}, expected a port number from 1 to 65535."
