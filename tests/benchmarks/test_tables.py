"""The tables of the benchmark and of the comparison."""

from __future__ import annotations

import os

import psutil
import pytest
from rich.console import Console
from rich.table import Table

from benchmarks import __main__ as benchmark
from benchmarks import compare, run_threads
from benchmarks.measurement import Form, Measurement, Results, Row, Server

PNG = Form("PNG")


def lines(table: Table) -> list[list[str]]:
    console = Console(width=140)
    with console.capture() as capture:
        console.print(table)
    printed = capture.get().splitlines()
    return [[cell.strip() for cell in line.split("│")] for line in printed if "│" in line]


def measured(*rates: float) -> list[Measurement]:
    return [Measurement(rate, 1000 / rate, 1, 2) for rate in rates]


def test_the_benchmark_shows_the_ratio_to_each_peer_and_names_a_failure() -> None:
    results = Results(
        {
            benchmark.in_process_row(1): measured(1000, 100),
            benchmark.in_process_row(32): measured(2000, 200),
            Row("Lectern", PNG, 16): measured(500, 50),
            Row("peer", PNG, 16): measured(250, 25),
        },
        {Row("peer", PNG, 64): "it was down"},
    )
    process = psutil.Process(os.getpid())
    servers = [Server(name, process, {}) for name in ("Lectern", "peer")]
    rows = lines(benchmark.table(results, servers))
    assert ["PNG", "16", "Lectern", "275", "0.50", "11.00", "1.00", "2.00", ""] in rows
    peer = ["PNG", "16", "peer", "138", "0.25", "22.00", "1.00", "2.00", "2.00 [2.00, 2.00]"]
    assert peer in rows
    assert ["PNG", "64", "peer", "failed"] in [row[:4] for row in rows]


def test_the_comparison_shows_paired_ratios() -> None:
    results = Results(
        {
            Row(compare.THIS, PNG, 16): measured(110, 11),
            Row(compare.OTHER, PNG, 16): measured(100, 10),
        }
    )
    [row] = lines(compare.table(results))
    assert row[:5] == ["PNG", "16", "60", "55", "1.10 [1.10, 1.10]"]
    assert row[7] == "0.91 [0.91, 0.91]"


@pytest.mark.parametrize(
    ("rounds", "spread", "precise"),
    [(5, 0, False), (6, 0, True), (20, 0.01, True), (20, 0.5, False)],
)
def test_ratios_are_precise_after_enough_rounds_with_little_spread(rounds, spread, precise) -> None:
    rates = [100 * (1 + spread * (number % 2)) for number in range(rounds)]
    results = Results(
        {
            Row(compare.THIS, PNG, 16): measured(*rates),
            Row(compare.OTHER, PNG, 16): measured(*[100] * rounds),
        }
    )
    assert compare.is_precise(results, 0.05) == precise
    results.failures[Row(compare.OTHER, PNG, 16)] = "it was down"
    assert not compare.is_precise(results, 0.05)


def test_a_folder_without_lectern_is_refused(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["compare", str(tmp_path)])
    with pytest.raises(SystemExit):
        compare.main()
    assert "expected the root of a source tree" in capsys.readouterr().err


def test_the_threads_of_a_run_are_shown_with_their_spread() -> None:
    cnn = Form("cnn")
    results = Results(
        {
            Row("chosen", cnn, 1): measured(500, 250, 1000),
            Row("one thread", cnn, 1): measured(400, 200),
        },
        {Row("all cores", cnn, 1): "it was down"},
    )
    rows = lines(run_threads.table(results))
    assert [row[:4] for row in rows] == [
        ["cnn", "1", "one thread", "300 [200, 400]"],
        ["cnn", "1", "all cores", "failed"],
        ["cnn", "1", "chosen", "500 [250, 1,000]"],
    ]
