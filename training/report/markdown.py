"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Writes a table.

    Args:
        columns: The headings. One that ends with a colon heads numbers, which stand to the right;
            the colon is not shown.
        rows: The cells.
    """
    headings = [column.removesuffix(":") for column in columns]
    alignments = ["--:" if column.endswith(":") else "---" for column in columns]
    lines = [headings, alignments, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
