"""Counts and times loads and warm-ups, by TensorFlow's names.

Source: tensorflow/cc/saved_model/loader.cc and
tensorflow_serving/servables/tensorflow/saved_model_warmup_util.cc.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.model_server.errors import ServingError
from services.model_server.metrics.request_metrics import LATENCY_MICROS
from services.serving_api.protos import error_codes_pb2

_log = structlog.get_logger(__name__)


class LoadMetrics:
    """The metrics of all loads; its methods are thread-safe."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers the metrics."""
        self._attempts = Counter(
            ":tensorflow:cc:saved_model:load_attempt_count",
            "The number of times a SavedModel was loaded, by whether that succeeded.",
            ["model_path", "status"],
            registry=registry,
        )
        self._latency = Counter(
            ":tensorflow:cc:saved_model:load_latency",
            "Latency in microseconds for SavedModels that were successfully loaded.",
            ["model_path"],
            registry=registry,
        )
        self._warmup_latency = Histogram(
            ":tensorflow:serving:model_warmup_latency",
            "Distribution of wall time (in microseconds) for warming up the model.",
            ["model_path", "status"],
            buckets=LATENCY_MICROS,
            registry=registry,
        )

        self._threads = Gauge(
            "lectern_run_threads",
            "The threads of a lone run of the default signature, by the fewest rows of a batch "
            "size; chosen by measuring.",
            ["model_path", "rows"],
            registry=registry,
        )

    def chose_threads(self, path: Path, rows: int, threads: int) -> None:
        """Says how many threads a run of so many rows and up to twice as many takes."""
        self._threads.labels(path, rows).set(threads)
        _log.info("threads chosen", path=str(path), rows=rows, threads=threads)

    @contextmanager
    def load(self, path: Path) -> Iterator[None]:
        """Measures the load of a version, whether it succeeds or raises."""
        start = time.perf_counter()
        try:
            yield
        except Exception:
            self._attempts.labels(path, "fail").inc()
            raise
        self._attempts.labels(path, "success").inc()
        self._latency.labels(path).inc(int((time.perf_counter() - start) * 1e6))

    @contextmanager
    def warm_up(self, path: Path) -> Iterator[None]:
        """Measures the replay of a version's warm-up records."""
        start = time.perf_counter()
        code = error_codes_pb2.OK
        try:
            yield
        except ServingError as error:
            code = error.code
            raise
        finally:
            micros = (time.perf_counter() - start) * 1e6
            self._warmup_latency.labels(path, error_codes_pb2.Code.Name(code)).observe(micros)
