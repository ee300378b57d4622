"""Freed memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

MEASURE = """
import psutil
from services.host.memory import give_freed_memory_back, give_large_blocks_back
resident = lambda: psutil.Process().memory_info().rss
{setting}
small = [b"x" * (1000 + number % 7) for number in range(200_000)]
large = [b"x" * (4_000_000 + number) for number in range(20)]
before = resident()
del small, large
{release}
print(before - resident())
"""


def freed_bytes(setting: str, release: str) -> int:
    script = MEASURE.format(setting=setting, release=release)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_freed_memory_is_returned() -> None:
    assert freed_bytes("", "give_freed_memory_back()") > 200_000_000
    assert freed_bytes("give_large_blocks_back()", "") > 70_000_000
