"""Prints the functions that hold a process's interpreter lock: `python -m benchmarks.profile PID`.

Samples with py-spy (`pip install py-spy`), which cannot tell work outside the lock from waiting.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console

SAMPLES_PER_SECOND = 200


def sample(pid: int, seconds: int) -> str:
    """Returns the collapsed stacks of a process, lines of `outermost;…;innermost samples`.

    Raises:
        SystemExit: py-spy is missing or failed.
    """
    beside_python = str(Path(sys.executable).parent)
    program = shutil.which("py-spy") or shutil.which("py-spy", path=beside_python)
    if not program:
        raise SystemExit("py-spy is missing: pip install py-spy")
    with tempfile.NamedTemporaryFile("r") as file:
        command = [program, "record", "--format=raw", "--gil", f"--rate={SAMPLES_PER_SECOND}"]
        options = [f"--duration={seconds}", f"--pid={pid}", f"--output={file.name}"]
        ended = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if ended.returncode:
            raise SystemExit(f"py-spy failed: {ended.stderr.strip()}")
        return file.read()


def busiest(stacks: str, count: int = 20) -> list[tuple[str, float]]:
    """Returns the innermost functions of collapsed stacks with the share of samples of each."""
    samples: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, number = line.rpartition(" ")
        samples[stack.rpartition(";")[2]] += int(number)
    return [(name, seen / samples.total()) for name, seen in samples.most_common(count)]


def main() -> None:
    """Samples a process and prints its busiest functions."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("pid", type=int, help="a worker of the gateway, or the model server")
    parser.add_argument("--seconds", type=int, default=10, help="default: %(default)s")
    arguments = parser.parse_args()
    console = Console(width=120)
    for name, share in busiest(sample(arguments.pid, arguments.seconds)):
        console.print(f"{share:4.0%} {name}", highlight=False)


if __name__ == "__main__":
    main()
