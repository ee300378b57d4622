"""Everything that a server measures, as Prometheus and a reload ask for it.

Source of the format: tensorflow_serving/util/prometheus_exporter.cc.
"""

from __future__ import annotations

import re

from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest

from services.model_server.batching.metrics import BatchingMetrics
from services.model_server.metrics.load_metrics import LoadMetrics
from services.model_server.metrics.request_metrics import RequestMetrics

# TensorFlow Serving has no such samples.
disable_created_metrics()  # type: ignore[no-untyped-call]

# prometheus_client ends every counter's name in _total; TensorFlow only this one's.
_ADDED_TOTAL = re.compile(rb"(:tensorflow:[\w:]*?(?<!:request_example_count))_total\b")


class Metrics:
    """One registry, and who writes to it."""

    def __init__(self) -> None:
        """Registers all metrics."""
        self._registry = CollectorRegistry()
        self.requests = RequestMetrics(self._registry)
        self.loads = LoadMetrics(self._registry)
        self.batching = BatchingMetrics(self._registry)

    def page(self) -> bytes:
        """Writes everything in Prometheus's text format."""
        return _ADDED_TOTAL.sub(rb"\1", generate_latest(self._registry))

    def count(self, name: str) -> int:
        """Returns the sum of a counter over its labels; 0 where there is no such counter.

        Args:
            name: as TensorFlow has it, like `/tensorflow/serving/request_count`.
        """
        wanted = name.replace("/", ":").removesuffix("_total")
        return sum(
            int(sample.value)
            for family in self._registry.collect()
            if family.type == "counter" and family.name == wanted
            for sample in family.samples
        )
