from __future__ import annotations

from benchmarks.profile import busiest

STACKS = "main (a.py:1);run (b.py:2) 6\nmain (a.py:1);wait (c.py) 3\nrun (b.py:2) 1\n"


def test_busiest_counts_the_innermost_functions() -> None:
    assert busiest(STACKS) == [("run (b.py:2)", 0.7), ("wait (c.py)", 0.3)]
    assert busiest(STACKS, 1) == [("run (b.py:2)", 0.7)]
