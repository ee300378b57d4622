from __future__ import annotations

import numpy as np
import pytest

from training.evaluation import latency
from training.evaluation.latency import BATCH_SIZE, Latency, measure_latencies


class Clock:
    """A clock that stands still unless a model takes its time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls: list[tuple[str, int]] = []

    def __call__(self) -> float:
        return self.seconds

    def model(self, name: str, *milliseconds: float) -> object:
        """Returns a model that takes these times in turn, a tenth of that more for each image."""
        times = iter(milliseconds)

        def predict(images: np.ndarray) -> None:
            self.calls.append((name, len(images)))
            self.seconds += next(times) / 1000 * (1 + len(images) / 10)

        return predict


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(latency, "perf_counter", clock)
    return clock


def test_the_median_of_all_calls_but_the_first(clock: Clock) -> None:
    model = clock.model("cnn", 900, 1, 2, 90, 900, 3, 50, 4)

    (measured,) = measure_latencies([model], np.zeros((40, 28, 28, 1), np.float32), rounds=3)

    assert measured == Latency(
        single=pytest.approx(2 * 1.1), batch=pytest.approx(4 * (1 + BATCH_SIZE / 10))
    )


def test_the_models_take_turns(clock: Clock) -> None:
    models = [clock.model(name, *[1] * 6) for name in ("cnn", "svm")]

    measure_latencies(models, np.zeros((5, 28, 28, 1), np.float32), rounds=2)

    turn = [("cnn", 1), ("svm", 1)]
    whole = [("cnn", BATCH_SIZE), ("svm", BATCH_SIZE)]
    assert clock.calls == 3 * turn + 3 * whole
