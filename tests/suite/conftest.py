"""The suite as a user starts it: `python -m services` on free ports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from tests.processes import Running, free_port, module, running


@dataclass(frozen=True)
class Suite:
    """The running suite.

    Attributes:
        launcher: the process that a user starts.
        greeting: the lines that are printed when the suite is ready.
        ports: the ports, by environment variable.
    """

    launcher: Running
    greeting: str
    ports: dict[str, str]

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.ports['GATEWAY_PORT']}"

    def processes(self, name: str) -> list[psutil.Process]:
        """Returns the processes of a service: the parent and its workers."""
        everything = psutil.Process(self.launcher.process.pid).children(recursive=True)
        alive = [process for process in everything if process.status() != psutil.STATUS_ZOMBIE]
        return [process for process in alive if f"services.{name}" in process.cmdline()]


@pytest.fixture(scope="session")
def suite() -> Iterator[Suite]:
    ports = {name: str(free_port()) for name in ("GATEWAY_PORT", "GRPC_PORT", "REST_PORT")}
    # The cascade of the gateway's README.
    # The logs are on the screen, where a failed test shows them.
    environment = {**ports, "LECTERN_CASCADES": "auto=mimic>cnn_best@0.7622", "VERBOSE": "1"}
    with running(*module("services"), environment=environment) as launcher:
        first = launcher.wait_for_line("Lectern is ready", seconds=300)
        launcher.wait_for_line("Stop:")
        lines = launcher.lines[launcher.lines.index(first) :]
        greeting = "\n".join(lines)
        yield Suite(launcher, greeting, ports)
