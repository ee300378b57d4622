"""Looks with py-spy (PyPI: `py-spy`) at what holds a process's interpreter lock."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.generators import LoadError

RATE = 200
"""Samples a second."""


@contextmanager
def profiled(pid: int, seconds: int, file: Path) -> Iterator[None]:
    """Sample a process while the block runs, and write the collapsed stacks to `file`.

    Only what holds the interpreter lock is seen: of the rest py-spy cannot tell work from waiting.

    Raises:
        LoadError: py-spy is missing, or may not look.
    """
    beside_python = str(Path(sys.executable).parent)
    program = shutil.which("py-spy") or shutil.which("py-spy", path=beside_python)
    if not program:
        raise LoadError("py-spy is missing: pip install py-spy")
    file.parent.mkdir(parents=True, exist_ok=True)
    command = [program, "record", "--format=raw", f"--rate={RATE}", "--gil"]
    process = subprocess.Popen(
        [*command, f"--duration={seconds}", f"--pid={pid}", f"--output={file}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield
    finally:
        _, errors = process.communicate(timeout=seconds + 60)
    if process.returncode:
        raise LoadError(f"py-spy failed: {errors.strip()}")


def busiest(file: Path, count: int = 12) -> list[tuple[str, float]]:
    """Return the functions at the top of the stacks, with the share of the samples of each.

    Args:
        file: collapsed stacks, `outermost;…;innermost samples` a line.
        count: how many.
    """
    samples: Counter[str] = Counter()
    for line in file.read_text().splitlines():
        stack, _, number = line.rpartition(" ")
        samples[stack.rpartition(";")[2]] += int(number)
    return [(name, seen / samples.total()) for name, seen in samples.most_common(count)]
