from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.stack import ROOT, Stack, copy_models


@pytest.fixture(scope="session")
def prepared() -> None:
    """Installs Docker, Compose and base images."""
    subprocess.run([ROOT / "tests/compose/prepare.sh"], check=True)


@pytest.fixture(scope="module")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder that containers can read."""
    folder = tmp_path_factory.mktemp("models")
    for parent in list(folder.parents)[:2]:  # Only their owner can read pytest's folders.
        parent.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def stack(prepared: None, models_folder: Path) -> Iterator[Stack]:
    """The running suite."""
    copy_models(models_folder)
    stack = Stack(models_folder)
    try:
        stack.up("--build")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "10")
