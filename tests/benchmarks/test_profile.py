"""What is read out of py-spy's stacks."""

from __future__ import annotations

from pathlib import Path

from benchmarks.profile import busiest


def test_the_innermost_functions_count(tmp_path: Path) -> None:
    file = tmp_path / "stacks.txt"
    file.write_text("main (a.py:1);run (b.py:2) 6\nmain (a.py:1);wait (c.py) 3\nrun (b.py:2) 1\n")
    assert busiest(file) == [("run (b.py:2)", 0.7), ("wait (c.py)", 0.3)]
    assert busiest(file, 1) == [("run (b.py:2)", 0.7)]
