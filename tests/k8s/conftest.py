from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def prepared() -> None:
    subprocess.run([Path(__file__).parent / "prepare.sh"], check=True)
