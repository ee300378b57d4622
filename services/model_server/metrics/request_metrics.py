"""Counts and times requests: TensorFlow Serving's metrics by name, and ours by version.

Source: tensorflow_serving/servables/tensorflow/util.cc.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

from services.model_server.errors import ServingError
from services.serving_api.protos import error_codes_pb2

_PREFIX = ":tensorflow:serving:"
LATENCY_MICROS = [10 * 1.8**power for power in range(33)]
_EXAMPLES = [2**power for power in range(15)]
_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]


@dataclass
class Measured:
    """The version of a request, which is known only while it runs."""

    version: int | None = None


class RequestMetrics:
    """The metrics of all requests; its methods are thread-safe."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers the metrics."""
        self._requests = Counter(
            f"{_PREFIX}request_count",
            "The total number of requests.",
            ["model_name", "status"],
            registry=registry,
        )
        self._latency = Histogram(
            f"{_PREFIX}request_latency",
            "Distribution of wall time (in microseconds) for Tensorflow Serving request.",
            ["model_name", "API", "entrypoint"],
            buckets=LATENCY_MICROS,
            registry=registry,
        )
        self._runtime = Histogram(
            f"{_PREFIX}runtime_latency",
            "Distribution of wall time (in microseconds) for Tensorflow runtime.",
            ["model_name", "API", "runtime"],
            buckets=LATENCY_MICROS,
            registry=registry,
        )
        self._examples = Histogram(
            f"{_PREFIX}request_example_counts",
            "The number of tensorflow.Examples per request.",
            ["model"],
            buckets=_EXAMPLES,
            registry=registry,
        )
        self._example_total = Counter(
            f"{_PREFIX}request_example_count_total",
            "The total number of tensorflow.Examples.",
            ["model"],
            registry=registry,
        )
        self._seconds = Histogram(
            "lectern_request_seconds",
            "Wall time of a request by model, version and signature.",
            ["model", "version", "signature", "api", "status"],
            buckets=_SECONDS,
            registry=registry,
        )

    @contextmanager
    def request(self, model: str, signature: str, api: str, entrypoint: str) -> Iterator[Measured]:
        """Measures a request, whether it succeeds or raises.

        Args:
            model: the model that it asks for, empty for an unknown one.
            signature: the signature.
            api: `Predict`, `Classify`, `Regress` or `MultiInference`.
            entrypoint: `GRPC` or `REST`.
        """
        measured = Measured()
        code = error_codes_pb2.INTERNAL
        start = time.perf_counter()
        try:
            yield measured
            code = error_codes_pb2.OK
        except ServingError as error:
            code = error.code
            raise
        finally:
            seconds = time.perf_counter() - start
            status = error_codes_pb2.Code.Name(code)
            self._requests.labels(model, status).inc()
            if code == error_codes_pb2.OK:
                self._latency.labels(model, api, entrypoint).observe(seconds * 1e6)
            # A version or a signature that a client makes up must not become a time series.
            if measured.version is not None:
                version = str(measured.version)
                self._seconds.labels(model, version, signature, api, status).observe(seconds)

    @contextmanager
    def runtime(self, model: str, api: str) -> Iterator[None]:
        """Measures what a model takes, where it succeeds."""
        start = time.perf_counter()
        yield
        micros = (time.perf_counter() - start) * 1e6
        self._runtime.labels(model, api, "TF1").observe(micros)

    def examples(self, model: str, count: int) -> None:
        """Counts the examples of a request."""
        self._examples.labels(model).observe(count)
        self._example_total.labels(model).inc(count)
