"""Prometheus metrics of the HTTP calls, correct over several worker processes.

With PROMETHEUS_MULTIPROC_DIR set before this module is imported, every worker writes its values to
that folder, and whichever worker is scraped answers for all.

Source: https://prometheus.github.io/client_python/multiprocess/
"""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Counter(
    "http_requests",
    "HTTP requests answered.",
    ["method", "route", "status", "model"],
)
DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from reading the head of a request to having its answer.",
    ["method", "route", "model"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


def exposition() -> tuple[bytes, str]:
    """Return all metrics and their content type."""
    registry = REGISTRY
    if MULTIPROCESS_FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
