from __future__ import annotations

import pytest

from training.fitting import time_estimate
from training.fitting.time_estimate import TimeEstimate, format_duration


def test_the_estimate_comes_early_and_counts_the_remaining_epochs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 102.0])
    monkeypatch.setattr(time_estimate, "perf_counter", lambda: next(clock))
    estimate = TimeEstimate()
    estimate.set_params({"epochs": 40, "steps": 430})
    estimate.on_epoch_begin(10)
    for step in range(25):
        assert capsys.readouterr().out == ""
        estimate.on_train_batch_end(step)
    # 100 ms a step, and 30 × 430 - 25 steps.
    expected = "The training takes about 21 min: 30 epochs of 430 steps, 100 ms each."
    assert expected in capsys.readouterr().out
    for step in range(25, 430):
        estimate.on_train_batch_end(step)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.4, "4 s"), (59, "59 s"), (60, "1 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
