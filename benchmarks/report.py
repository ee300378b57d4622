"""The table of what was measured, and the targets beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from rich.table import Table

LEAST_GRPC_RATIO, AIMED_GRPC_RATIO = 0.75, 1.2
LEAST_REST_RATIO = 0.4
LEAST_BATCH_RATIO = 0.6
MOST_ADDED_P50_MS = 1
MOST_SPREAD = 5
"""The 99th percentile over the median."""

SESSION_THREADS = {1: 2, 32: 1}
"""From how many threads the session runs each batch size, which TensorFlow spreads by itself."""


class Row(NamedTuple):
    """What one line of the table measures; `batch` is in images a request."""

    protocol: str
    batch: int
    connections: int

    def __str__(self) -> str:
        return f"{self.protocol}, {self.connections} connections, batch {self.batch}"


class Measured(NamedTuple):
    """One round of a row, or of the session.

    Attributes:
        images_per_second: answered.
        cpu_micros: the processor time of one image, in microseconds; of the server alone.
        p50_ms: the median latency of a request, in milliseconds; of the session from one thread.
        p99_ms: the 99th percentile, none of the session.
    """

    images_per_second: float
    cpu_micros: float
    p50_ms: float
    p99_ms: float = math.nan


Rounds = Sequence[tuple[Measured, Measured]]
"""A row and the session of the same round."""


class Summary(NamedTuple):
    """The medians over the rounds; ratios are those to the session of the same round."""

    images_per_second: float
    ratio: float
    cpu_micros: float
    cpu_ratio: float
    p50_ms: float
    p99_ms: float
    added_p50_ms: float


def summarize(rounds: Rounds) -> Summary:
    """Return the medians."""
    values = [
        Summary(
            mine.images_per_second,
            mine.images_per_second / session.images_per_second,
            mine.cpu_micros,
            mine.cpu_micros / session.cpu_micros,
            mine.p50_ms,
            mine.p99_ms,
            mine.p50_ms - session.p50_ms,
        )
        for mine, session in rounds
    ]
    return Summary(*np.median(values, axis=0).tolist())


def table(
    sessions: Mapping[int, Sequence[Measured]],
    rows: Mapping[Row, Rounds],
    failures: Mapping[Row, str],
) -> Table:
    """Lay the medians out; a row that failed says so."""
    result = Table(title="The CNN in one process; medians", show_edge=False)
    heads = "call", "batch", "conns", "images/s", "ratio", "CPU µs", "ratio", "p50 ms", "p99 ms"
    for head in heads:
        result.add_column(head, justify="right", no_wrap=True)
    for batch, measured in sessions.items():
        own = summarize([(each, each) for each in measured])
        threads = f"{SESSION_THREADS[batch]} thr."
        result.add_row("session", str(batch), threads, *_cells(own))
        for row in [*rows, *(failures.keys() - rows.keys())]:
            if row.batch == batch:
                cells = _cells(summarize(rows[row])) if row in rows else ["failed"]
                result.add_row(row.protocol, str(batch), str(row.connections), *cells)
        result.add_section()
    return result


def targets(rows: Mapping[Row, Rounds]) -> Table:
    """Say of each target whether it is reached; what was not measured is not reached."""
    seen = {row: summarize(rounds) for row, rounds in rows.items()}
    result = Table(title="Targets", show_edge=False)
    for head in ("target", "asked", "measured", ""):
        result.add_column(head, no_wrap=True)

    def add(text: str, asked: str, value: float, *, reached: bool) -> None:
        result.add_row(text, asked, f"{value:.2f}", "reached" if reached else "NOT REACHED")

    for protocol, least in (("gRPC", LEAST_GRPC_RATIO), ("REST", LEAST_REST_RATIO)):
        ratio = _value(seen, Row(protocol, 1, 64), "ratio")
        add(f"{protocol}, 64 connections: ratio", f">= {least}", ratio, reached=ratio >= least)
    ratio = _value(seen, Row("gRPC", 1, 64), "ratio")
    aim = AIMED_GRPC_RATIO
    add("gRPC, 64 connections: ratio aimed at", f">= {aim}", ratio, reached=ratio >= aim)
    added = _value(seen, Row("gRPC", 1, 1), "added_p50_ms")
    most = MOST_ADDED_P50_MS
    add("gRPC, 1 connection: p50 added, ms", f"<= {most}", added, reached=added <= most)
    for protocol in ("gRPC", "REST"):
        ratios = [each.ratio for row, each in seen.items() if row[:2] == (protocol, 32)]
        best, least = max(ratios, default=math.nan), LEAST_BATCH_RATIO
        text = f"{protocol}, batches of 32: ratio, best of all connections"
        add(text, f">= {least}", best, reached=best >= least)
    spread, row = max(
        ((each.p99_ms / each.p50_ms, row) for row, each in seen.items()),
        default=(math.nan, "nothing"),
    )
    text = f"p99 over p50, worst of all: {row}"
    add(text, f"< {MOST_SPREAD}", spread, reached=spread < MOST_SPREAD)
    return result


def _value(seen: Mapping[Row, Summary], row: Row, name: str) -> float:
    return float(getattr(seen[row], name)) if row in seen else math.nan


def _cells(summary: Summary) -> list[str]:
    p99 = "" if math.isnan(summary.p99_ms) else f"{summary.p99_ms:.2f}"
    return [
        f"{summary.images_per_second:,.0f}",
        f"{summary.ratio:.2f}",
        f"{summary.cpu_micros:,.0f}",
        f"{summary.cpu_ratio:.2f}",
        f"{summary.p50_ms:.2f}",
        p99,
    ]
