"""The commands of the README's section on containers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import requests

from tests.compose.stack import ROOT, copy_models, model_server
from tests.processes import SAMPLES, free_port, running, wait_until

pytestmark = pytest.mark.compose

README = (ROOT / "README.md").read_text()
UP_LINES = re.findall(r"^docker compose .*\bup --build", README, re.M)
PORTS = ("GATEWAY_PORT", "GRPC_PORT", "REST_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")


def printed_command() -> str:
    """Returns the command for the selected model server."""
    if model_server() == "tfserving":
        [line] = [line for line in UP_LINES if " -f " not in line]
        return line
    [line] = [line for line in UP_LINES if "docker-compose.embedded.yml" in line]
    # Grafana's image needs a registry.
    return f"{line} model-server gateway"


def compose(environment: dict[str, str], *arguments: str) -> str:
    return subprocess.run(
        ["docker", "compose", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("line", UP_LINES)
@pytest.mark.usefixtures("prepared")
def test_every_command_names_a_valid_configuration(line: str) -> None:
    command = re.sub(r"\bup\b.*", "config --quiet", line)
    subprocess.run(["bash", "-c", command], cwd=ROOT, check=True)


@pytest.mark.usefixtures("prepared")
def test_the_printed_command_serves_until_ctrl_c(models_folder: Path) -> None:
    copy_models(models_folder)
    environment = {
        "COMPOSE_PROJECT_NAME": "lectern-readme",
        "MODELS": str(models_folder),
        **{name: str(free_port()) for name in PORTS},
    }
    url = f"http://127.0.0.1:{environment['GATEWAY_PORT']}/v1/models/cnn:predict"

    def predicts() -> bool:
        image, headers = (SAMPLES / "bag.png").read_bytes(), {"Content-Type": "image/png"}
        try:
            return requests.post(url, image, headers=headers, timeout=15).ok
        except requests.ConnectionError:
            return False

    try:
        with running("bash", "-c", f"exec {printed_command()}", environment=environment) as up:
            wait_until(predicts, 300, f"a prediction after {printed_command()}")
            # To all processes of the command, like a terminal.
            os.killpg(up.process.pid, signal.SIGINT)
            up.wait(seconds=60)
        assert compose(environment, "ps", "--status", "running", "--quiet") == ""
    finally:
        compose(environment, "down", "--volumes")
