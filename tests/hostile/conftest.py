"""The services under attack, with all committed models and two more."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes import ROOT, module
from tests.stack import COMMITTED, Stack, started


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    # In a process of its own, since it needs TensorFlow.
    subprocess.run(module("tests.hostile.models", str(folder)), cwd=ROOT, check=True)
    return COMMITTED | {each.name: each for each in folder.iterdir()}


class Attacked:
    """The stack that cases run against; a new one after a case that ended a process."""

    def __init__(self, models: dict[str, Path], stack: ExitStack) -> None:
        self._models = models
        self._stack = stack
        self._running: Stack | None = None

    def running(self) -> Stack:
        if self._running is None or not self._running.is_intact():
            self._stack.close()
            # Long enough that no deadline passes on a busy machine: cases bound processor time.
            settings = {"LECTERN_TIMEOUT_SECONDS": "30"}
            flags = ("--enable_model_warmup=false",)
            self._running = self._stack.enter_context(started(self._models, settings, flags))
        return self._running


@pytest.fixture(scope="session")
def attacked(models: dict[str, Path]) -> Iterator[Attacked]:
    with ExitStack() as stack:
        yield Attacked(models, stack)


@pytest.fixture
def stack(attacked: Attacked) -> Stack:
    return attacked.running()
