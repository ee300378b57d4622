"""Runs the suite in containers with `docker compose`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROJECT = "lectern-test"
MODELS = ("cnn", "mlp", "vae", "codec")
SERVICES = ("model-server", "gateway", "prometheus")


def model_server() -> str:
    """Returns the model server that LECTERN_MODEL_SERVER selects: `embedded` or `tfserving`.

    Raises:
        ValueError: the variable has another value.
    """
    asked = os.environ.get("LECTERN_MODEL_SERVER", "embedded")
    if asked not in {"embedded", "tfserving"}:
        raise ValueError(f"LECTERN_MODEL_SERVER is {asked!r}, expected 'embedded' or 'tfserving'")
    return asked


def compose_files() -> list[str]:
    """Returns the compose files of the stack with the selected model server."""
    files = ["docker-compose.yml"]
    if model_server() == "embedded":
        files += ["docker-compose.embedded.yml", "tests/compose/docker-compose.debian.yml"]
    return [*files, "tests/compose/docker-compose.test.yml"]


def copy_models(folder: Path) -> None:
    """Writes a small model repository, which a test may change."""
    for name in MODELS:
        shutil.copytree(ROOT / "models" / name, folder / name)
    entries = "".join(
        f'config {{ name: "{name}" base_path: "/models/{name}" model_platform: "tensorflow" }}\n'
        for name in MODELS
    )
    (folder / "models.config").write_text(f"model_config_list {{\n{entries}}}\n")
    for path in (folder, *folder.rglob("*")):  # Containers run as another user.
        path.chmod(0o755 if path.is_dir() else 0o644)


@dataclass(frozen=True)
class Stack:
    """A compose project.

    Attributes:
        models: the model repository that it serves.
    """

    models: Path

    def compose(self, *arguments: str) -> str:
        """Runs `docker compose` on the project and returns its output.

        Raises:
            AssertionError: the command failed; the message has its errors.
        """
        files = [part for file in compose_files() for part in ("--file", file)]
        process = subprocess.run(
            ["docker", "compose", "--project-name", PROJECT, *files, *arguments],
            cwd=ROOT,
            env={**os.environ, "MODELS": str(self.models), "COMPOSE_PROGRESS": "quiet"},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert process.returncode == 0, f"compose {arguments}: {process.stderr[-3000:]}"
        return process.stdout

    def up(self, *arguments: str) -> None:
        """Starts the services and waits until they are healthy."""
        self.compose("up", "--detach", "--wait", *arguments, *SERVICES)

    def address(self, service: str, port: int, index: int = 1) -> str:
        """Returns `host:port` of a replica's published port."""
        return self.compose("port", "--index", str(index), service, str(port)).strip()

    def url(self, service: str, port: int, index: int = 1) -> str:
        """Returns the URL of a replica's published port."""
        return f"http://{self.address(service, port, index)}"

    def log_lines(self, service: str) -> list[str]:
        """Returns the output of a service's first container, both streams.

        Docker prints it, because some versions of Compose prefix lines with escape codes.
        """
        name = self.compose("ps", "--quiet", service).split()[0]
        process = subprocess.run(
            ["docker", "logs", name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return process.stdout.splitlines()

    def containers(self) -> list[dict[str, Any]]:
        """Returns what `docker inspect` prints for the project's containers."""
        names = self.compose("ps", "--quiet").split()
        output = subprocess.run(
            ["docker", "inspect", *names], capture_output=True, text=True, check=True
        ).stdout
        return json.loads(output)
