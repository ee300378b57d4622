"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table.

    Args:
        columns: Headings. A column whose heading ends with a colon is aligned right; the colon is
            not shown.
        rows: Cells.
    """
    headings = [column.removesuffix(":") for column in columns]
    alignments = ["--:" if column.endswith(":") else "---" for column in columns]
    lines = [headings, alignments, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
