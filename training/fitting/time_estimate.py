"""Estimates how long a training takes, from its first steps."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any

import keras

# The first steps trace and compile functions, and fill the pipeline of batches.
SKIPPED_STEPS = 5
TIMED_STEPS = 20


class TimeEstimate(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types.
    """Prints the remaining time of a training after its first 25 steps."""

    def __init__(self) -> None:
        super().__init__()
        self._epoch = 0
        self._steps = 0
        self._start = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch, which is not the first one in a resumed training."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the step, and prints the estimate after the last of the timed steps."""
        self._steps += 1
        if self._steps == SKIPPED_STEPS:
            self._start = perf_counter()
        elif self._steps == SKIPPED_STEPS + TIMED_STEPS:
            rate = (perf_counter() - self._start) / TIMED_STEPS
            epochs = self.params["epochs"] - self._epoch
            remaining = rate * (epochs * self.params["steps"] - self._steps)
            sys.stdout.write(
                f"\nThe training takes about {format_duration(remaining)}: {epochs} epochs of "
                f"{self.params['steps']} steps, {1e3 * rate:.0f} ms each. Ctrl-C stops it, and the "
                "same command resumes it.\n"
            )


def format_duration(seconds: float) -> str:
    """Returns a duration such as `2 h 5 min`, `12 min` or `40 s`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
