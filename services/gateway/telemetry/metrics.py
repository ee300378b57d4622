"""Prometheus metrics of HTTP requests and of calls to the model server, summed over all workers.

If PROMETHEUS_MULTIPROC_DIR is set before this module is imported, every worker writes its values to
that folder, and the worker that is scraped answers for all of them.

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

from services.gateway.telemetry.value_files import reserve_space_for_values

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

reserve_space_for_values()

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter(
    "http_requests",
    "HTTP requests answered.",
    ["method", "route", "status", "model", "version", "task"],
)
DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from a request's arrival to its answer, including the wait for a thread.",
    ["method", "route", "model"],
    buckets=_SECONDS,
)
MODEL_REQUESTS = Counter(
    "model_requests",
    "Predict calls to the model server, by gRPC status code.",
    ["model", "version", "signature", "code"],
)
MODEL_DURATION = Histogram(
    "model_request_duration_seconds",
    "Time of a Predict call to the model server; the rest of a request's time is the gateway's.",
    ["model", "signature"],
    buckets=_SECONDS,
)
BATCH_SIZE = Histogram(
    "model_batch_size",
    "Rows in a Predict call, which several requests may share.",
    ["model", "signature"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
CACHE_LOOKUPS = Counter(
    "answer_cache_lookups",
    "Lookups in the answer cache, if it is turned on.",
    ["outcome"],
)
LIVE, MIRRORED = "live", "shadow"
"""The roles of an arm: it answers clients, or is asked beside an arm that does."""

SPLIT_REQUESTS = Counter(
    "split_requests",
    "Requests of splits, by the HTTP status of the answer.",
    ["split", "arm", "role", "status"],
)
SPLIT_DURATION = Histogram(
    "split_call_duration_seconds",
    "Time of an answered call to an arm of a split.",
    ["split", "arm", "role"],
    buckets=_SECONDS,
)
SPLIT_CONFIDENCE = Histogram(
    "split_confidence",
    "Top probability of an arm's predictions, the mean over the rows of each request.",
    ["split", "arm", "role"],
    buckets=[tenths / 10 for tenths in range(1, 11)],
)
SPLIT_COMPARED_ROWS = Counter(
    "split_compared_rows",
    "Rows that an arm and the shadow classified, alike or not.",
    ["split", "arm", "shadow", "outcome"],
)
SHADOW_DROPS = Counter(
    "split_shadow_drops",
    "Requests that were to be mirrored and were not.",
    ["split", "reason"],
)
PAYLOAD_LOG_RECORDS = Counter(
    "payload_log_records",
    "Records of the payload log, if it is turned on.",
    ["outcome"],
)


def exposition() -> tuple[bytes, str]:
    """Returns all metrics and their content type."""
    registry = REGISTRY
    if MULTIPROCESS_FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
