"""The README names a test for each row; each of them exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent.parent
FOLDERS = {
    "a": ROOT / "tests" / "services" / "serving_api",
    "c": ROOT / "tests" / "contract",
    "s": Path(__file__).parent,
}


def test_every_test_of_the_table_exists() -> None:
    text = (ROOT / "services" / "model_server" / "README.md").read_text()
    named = re.findall(r"`([acs])/([\w/]+\.py)::(\w+)`", text)
    assert len(named) > 50
    missing = [
        f"{path}::{name}"
        for folder, path, name in named
        if f"def {name}(" not in (FOLDERS[folder] / path).read_text()
    ]
    assert missing == []


def test_every_row_without_a_test_says_what_is_missing() -> None:
    text = (ROOT / "services" / "model_server" / "README.md").read_text()
    surface = text.partition("## TensorFlow Serving's surface")[2]
    rows = [line for line in surface.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(rows) > 50
    untested = [row for row in rows if "::" not in row and not row.endswith("| Test |")]
    reasons = ("missing:", "TensorFlow Serving registers neither")
    assert [row for row in untested if not any(reason in row for reason in reasons)] == []
