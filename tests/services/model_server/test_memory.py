"""What a server with one model takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.processes import ROOT

MEASURE = """
import sys
from benchmarks.memory import measure
from tests.stack import COMMITTED
parts = measure([COMMITTED["cnn"] / "1"])
print("keras" in sys.modules, sum(part.own for part in parts), parts[-2].own + parts[-1].own)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_a_server_takes_little_more_than_tensorflows_core_and_its_models() -> None:
    command = [sys.executable, "-c", MEASURE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    has_keras, together, model = done.stdout.splitlines()[-1].split()
    assert has_keras == "False"
    # 150 and 42 when written; 420 and 110 with all of TensorFlow and of its copies of the graph.
    assert float(together) < 250
    assert float(model) < 75
