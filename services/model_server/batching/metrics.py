"""Prometheus metrics of batching, by TensorFlow Serving's names where it has any.

Source: tensorflow_serving/batching/batching_session.cc and batching_util.h.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.model_server.batching.parameters import BatchingParameters
from services.model_server.servables.servable import ServableId

RUN_COUNT = ":tensorflow:serving:batching_session:wrapped_run_count"
_QUEUING_MICROS = [100 * 1.2**power for power in range(52)]
_SIZES = [2**power for power in range(14)]


class BatchingMetrics:
    """The metrics of all batched servables."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers the metrics."""
        self.queuing_latency = Histogram(
            ":tensorflow:serving:batching_session:queuing_latency",
            "Distribution of wall time spent (in microseconds) in queuing.",
            ["thread_pool_name"],
            buckets=_QUEUING_MICROS,
            registry=registry,
        )
        self.run_count = Counter(
            RUN_COUNT, "Total count of run calls on the wrapped session.", registry=registry
        )
        self.input_size = Histogram(
            ":tensorflow:serving:batching_session:input_batch_size",
            "Tracks the batch size distribution on the inputs.",
            buckets=_SIZES,
            registry=registry,
        )
        self.processed_size = Histogram(
            ":tensorflow:serving:batching_session:processed_batch_size",
            "Tracks the batch size distribution on processing.",
            buckets=_SIZES,
            registry=registry,
        )
        self.padding_size = Histogram(
            ":tensorflow:serving:batching_session:padding_size",
            "Tracks the padding size distribution on batches.",
            ["execution_batch_size"],
            buckets=_SIZES,
            registry=registry,
        )
        self.batch_size = Histogram(
            "lectern_batch_size",
            "Rows of a batch without its padding, by model, version and signature.",
            ["model", "version", "signature"],
            buckets=_SIZES,
            registry=registry,
        )
        self.queue_depth = Gauge(
            "lectern_batch_queue_depth",
            "Requests that wait for a batch to run, by model and version.",
            ["model", "version"],
            registry=registry,
        )

    def of(
        self, servable_id: ServableId, parameters: BatchingParameters
    ) -> ServableBatchingMetrics:
        """Returns the metrics of one servable."""
        return ServableBatchingMetrics(self, servable_id, parameters)


class ServableBatchingMetrics:
    """The metrics of one batched servable; its methods are thread-safe."""

    def __init__(
        self, families: BatchingMetrics, servable_id: ServableId, parameters: BatchingParameters
    ) -> None:
        self._families = families
        self._labels = servable_id.name, str(servable_id.version)
        self._queuing = families.queuing_latency.labels(parameters.thread_pool_name)
        # Without allowed sizes there is no padding, and every size would be a time series.
        self._pads = bool(parameters.allowed_batch_sizes)

    def request(self, rows: int) -> None:
        """Notes the size of a request."""
        self._families.input_size.observe(rows)

    def waited(self, seconds: float) -> None:
        """Notes how long a task was in a queue."""
        self._queuing.observe(seconds * 1e6)

    def batch(self, signature: str, rows: int, padded_rows: int) -> None:
        """Notes a batch that the model runs, before and after it was padded to an allowed size."""
        self._families.run_count.inc()
        self._families.processed_size.observe(padded_rows)
        if self._pads:
            self._families.padding_size.labels(padded_rows).observe(padded_rows - rows)
        self._families.batch_size.labels(*self._labels, signature).observe(rows)

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Asks `depth`, at each scrape, how many requests wait."""
        self._families.queue_depth.labels(*self._labels).set_function(depth)

    def close(self) -> None:
        """Shows the queue no longer; what was counted stays."""
        self._families.queue_depth.remove(*self._labels)
