"""The report names what failed and what was not reached."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from benchmarks.report import Measured, Row, summarize, table, targets

SESSION = Measured(1000, 400, 1.0)
GRPC, REST = Row("gRPC", 1, 64), Row("REST", 1, 64)


def lines(printed: Any) -> list[str]:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(printed)
    return capture.get().splitlines()


def test_ratios_are_those_to_the_session_of_the_same_round() -> None:
    slow = Measured(100, 4000, 10.0)
    rounds = [(Measured(900, 800, 1.5, 3), SESSION), (Measured(90, 8000, 15, 30), slow)]
    summary = summarize(rounds)
    assert summary.ratio == pytest.approx(0.9)
    assert summary.cpu_ratio == pytest.approx(2)
    assert summary.images_per_second == pytest.approx(495)
    assert summary.added_p50_ms == pytest.approx((0.5 + 5) / 2)


def test_a_row_that_failed_stands_in_the_table() -> None:
    rows = {GRPC: [(Measured(900, 800, 1.5, 3), SESSION)]}
    printed = lines(table({1: [SESSION]}, rows, {REST: "it was down"}))
    assert any("gRPC" in line and "0.90" in line for line in printed)
    assert any("REST" in line and "failed" in line for line in printed)


@pytest.mark.parametrize(
    ("ratio", "outcomes"),
    [
        (0.5, ["NOT REACHED", "NOT REACHED"]),
        (0.8, ["reached", "NOT REACHED"]),
        (1.3, ["reached", "reached"]),
    ],
)
def test_targets(ratio: float, outcomes: list[str]) -> None:
    rows = {GRPC: [(Measured(1000 * ratio, 800, 1.5, 3), SESSION)]}
    own = [line for line in lines(targets(rows)) if "gRPC, 64 connections: ratio" in line]
    assert [line.split("│")[-1].strip() for line in own] == outcomes


def test_what_was_not_measured_is_not_reached() -> None:
    outcomes = [line for line in lines(targets({})) if "reached" in line.lower()]
    assert len(outcomes) == 7
    assert all("NOT REACHED" in line for line in outcomes)


def test_the_worst_spread_is_named() -> None:
    rows = {
        GRPC: [(Measured(900, 800, 1.0, 3), SESSION)],
        REST: [(Measured(900, 800, 1.0, 7), SESSION)],
    }
    [line] = [line for line in lines(targets(rows)) if "p99" in line]
    assert "REST, 64 connections, batch 1" in line
    assert "7.00" in line
    assert "NOT REACHED" in line
