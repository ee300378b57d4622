"""The ceiling: the same model in this process, without a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from services.model_server.servables.saved_model import SavedModelServable

SIGNATURE = "serving_default"


class SessionCeiling:
    """A SavedModel in a session, as the server runs it."""

    def __init__(self, path: Path) -> None:
        self._servable = SavedModelServable(path)
        self._outputs = list(self._servable.signatures[SIGNATURE].outputs)

    def predict(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Run the default signature.

        Args:
            images: f32[N, H, W, C].
        """
        return self._servable.run(SIGNATURE, {"images": images}, self._outputs)

    def run_for(self, images: np.ndarray, seconds: float, threads: int = 1) -> tuple[float, float]:
        """Run the same batch over and over, from each thread.

        Returns:
            Images a second, and the processor time of one image in microseconds.
        """
        counts = [0] * threads
        end = time.perf_counter() + seconds
        processor = time.process_time()

        def work(thread: int) -> None:
            while time.perf_counter() < end:
                self.predict(images)
                counts[thread] += len(images)

        _in_threads(work, threads)
        processor = time.process_time() - processor
        return sum(counts) / seconds, processor / sum(counts) * 1e6

    def p50_ms(self, images: np.ndarray, calls: int = 300) -> float:
        """Return the median time of one call, in milliseconds."""
        times = []
        for _ in range(calls):
            start = time.perf_counter()
            self.predict(images)
            times.append(time.perf_counter() - start)
        return float(np.median(times)) * 1000


def _in_threads(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
