"""Measures the latency of models in this process."""

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
    """The latency of a model.

    Attributes:
        single: Median for one image, in milliseconds.
        batch: Median for `BATCH_SIZE` images, in milliseconds.
    """

    single: float
    batch: float


def measure_latencies(
    models: Sequence[Predict], images: npt.NDArray[np.float32], rounds: int = ROUNDS
) -> list[Latency]:
    """Measures models in turns, so that other load on the machine affects all of them alike.

    Args:
        models: Functions of float32 [N, H, W, C] images that return when the result is ready.
        images: At least one image; repeated if there are fewer than `BATCH_SIZE`.
        rounds: Number of measurements of each model and batch size.
    """
    batch = np.resize(images, (BATCH_SIZE, *images.shape[1:]))
    singles, batches = (_medians(models, inputs, rounds) for inputs in (batch[:1], batch))
    return [Latency(single, whole) for single, whole in zip(singles, batches, strict=True)]


def _medians(
    models: Sequence[Predict], inputs: npt.NDArray[np.float32], rounds: int
) -> list[float]:
    for predict in models:
        predict(inputs)  # The first call is slower.
    seconds = [[_seconds(predict, inputs) for predict in models] for _ in range(rounds)]
    medians: list[float] = (1e3 * np.median(seconds, axis=0)).tolist()
    return medians


def _seconds(predict: Predict, inputs: npt.NDArray[np.float32]) -> float:
    start = perf_counter()
    predict(inputs)
    return perf_counter() - start
