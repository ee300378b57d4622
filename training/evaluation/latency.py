"""Measures how long models take to answer, in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

BATCH_SIZE = 32
ROUNDS = 20

Predict = Callable[[npt.NDArray[np.float32]], object]


@dataclass(frozen=True)
class Latency:
    """How long a model takes to answer.

    Attributes:
        single: The median for one image, in milliseconds.
        batch: The median for `BATCH_SIZE` images.
    """

    single: float
    batch: float


def measure_latencies(
    models: Sequence[Predict], images: npt.NDArray[np.float32], rounds: int = ROUNDS
) -> list[Latency]:
    """Measures models in turns, so that whatever else the machine does slows all of them alike.

    Args:
        models: Each takes float32 [N, H, W, C] images and returns when it has its answer.
        images: At least one; `BATCH_SIZE` of them, repeated if need be, make the batch.
        rounds: How often each is asked for each size.
    """
    batch = np.resize(images, (BATCH_SIZE, *images.shape[1:]))
    singles, batches = (_medians(models, inputs, rounds) for inputs in (batch[:1], batch))
    return [Latency(single, whole) for single, whole in zip(singles, batches, strict=True)]


def _medians(
    models: Sequence[Predict], inputs: npt.NDArray[np.float32], rounds: int
) -> list[float]:
    for predict in models:
        predict(inputs)  # The first call prepares what the others find ready.
    seconds = [[_seconds(predict, inputs) for predict in models] for _ in range(rounds)]
    medians: list[float] = (1e3 * np.median(seconds, axis=0)).tolist()
    return medians


def _seconds(predict: Predict, inputs: npt.NDArray[np.float32]) -> float:
    start = perf_counter()
    predict(inputs)
    return perf_counter() - start
