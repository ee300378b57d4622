from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.compose.stack import ROOT, Stack, copy_models


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running suite."""
    subprocess.run([ROOT / "tests/compose/prepare.sh"], check=True)
    folder = tmp_path_factory.mktemp("models")
    for parent in list(folder.parents)[:2]:  # pytest's own folders let nobody else in.
        parent.chmod(0o755)
    copy_models(folder)
    stack = Stack(folder)
    try:
        stack.up("--build")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "10")
