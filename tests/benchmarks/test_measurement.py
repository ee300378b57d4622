from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
import psutil
import pytest

from benchmarks.load import Load, LoadError
from benchmarks.measurement import (
    Form,
    Measurement,
    Plan,
    Results,
    Row,
    Server,
    measure_rounds,
    paired_ratio,
)

PNG, BATCH = Form("PNG"), Form("JSON", 32)


@dataclass
class FakeRequest:
    """A request whose load takes its values from a list; None fails."""

    name: str
    log: list[str]
    rates: list[float | None] = field(default_factory=list)

    def send(self, connections: int, seconds: int) -> Load:
        self.log.append(f"{self.name} {connections}x{seconds}s")
        rate = self.rates.pop(0) if self.rates else 100.0
        if rate is None:
            raise LoadError("it was down")
        return Load(round(rate * seconds), rate, 1.0, 3.0)


def server(name: str, requests: dict[Form, FakeRequest]) -> Server:
    return Server(name, psutil.Process(os.getpid()), requests)


def test_paired_ratio_is_of_values_in_the_same_round() -> None:
    # The machine was ten times slower in the second round.
    ratio = paired_ratio([900, 90, 800], [1000, 100, 1000])
    assert ratio.median == pytest.approx(0.9)
    assert (ratio.lower, ratio.upper) == pytest.approx((0.8, 0.9))
    assert ratio.error == pytest.approx(1 / 9)
    assert str(ratio) == "0.90 [0.80, 0.90]"


def test_the_interval_has_the_median_in_95_of_100_series() -> None:
    generator = np.random.default_rng(0)
    series = generator.lognormal(0, 0.3, (2000, 25))  # median 1
    ratios = [paired_ratio(values, np.ones(25)) for values in series]
    covered = np.mean([ratio.lower <= 1 <= ratio.upper for ratio in ratios])
    assert covered == pytest.approx(0.95, abs=0.02)


def test_series_of_different_lengths_have_no_ratio() -> None:
    with pytest.raises(ValueError, match="longer"):
        paired_ratio([1], [1, 2])


def test_rounds_alternate_the_order_of_the_servers_after_a_warm_up() -> None:
    log: list[str] = []
    servers = [server(name, {PNG: FakeRequest(name, log)}) for name in "ab"]
    started: list[int] = []
    plan = Plan([PNG, BATCH], [16], rounds=3, seconds=2)
    results = measure_rounds(servers, plan, lambda _: started.append(len(log)))
    assert log[:2] == ["a 16x1s", "b 16x1s"]
    assert [entry[0] for entry in log[2:]] == [*"ab", *"ba", *"ab"]
    assert started == [2, 4, 6]
    assert {row: len(rounds) for row, rounds in results.rows.items()} == {
        Row("a", PNG, 16): 3,
        Row("b", PNG, 16): 3,
    }


def test_rounds_end_when_the_results_are_enough() -> None:
    servers = [server("a", {PNG: FakeRequest("a", [])})]
    plan = Plan([PNG], [1], rounds=9, seconds=1)
    results = measure_rounds(
        servers, plan, is_enough=lambda results: len(results.rows[Row("a", PNG, 1)]) == 2
    )
    assert len(results.rows[Row("a", PNG, 1)]) == 2


def test_a_failed_row_is_named_and_the_others_go_on() -> None:
    log: list[str] = []
    broken = server("broken", {PNG: FakeRequest("broken", log, [None, None])})
    sound = server("sound", {PNG: FakeRequest("sound", log)})
    results = measure_rounds([broken, sound], Plan([PNG], [1], rounds=1, seconds=1))
    assert results.failures == {Row("broken", PNG, 1): "it was down"}
    assert len(results.rows[Row("sound", PNG, 1)]) == 1


def test_rates_count_images_and_processor_time_counts_requests() -> None:
    log: list[str] = []
    results = measure_rounds(
        [server("a", {BATCH: FakeRequest("a", log)})], Plan([BATCH], [1], rounds=1, seconds=1)
    )
    [measured] = results.rows[Row("a", BATCH, 1)]
    assert measured.images_per_second == 3200
    assert 0 <= measured.cpu_ms < 1
    assert (measured.p50_ms, measured.p99_ms) == (1.0, 3.0)


def test_medians_and_ratios_of_rows() -> None:
    one, two = Row("one", PNG, 1), Row("two", PNG, 1)
    results = Results(
        {
            one: [Measurement(10, 4, 1, 2), Measurement(30, 2, 3, 4), Measurement(20, 3, 2, 3)],
            two: [Measurement(20, 2, 1, 2), Measurement(60, 1, 3, 4), Measurement(40, 1.5, 2, 3)],
        }
    )
    assert results.median(one) == Measurement(20, 3, 2, 3)
    assert results.ratio(one, two).median == 0.5
    assert results.ratio(one, two, "cpu_ms").median == 2
