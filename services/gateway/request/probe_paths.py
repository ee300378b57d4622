"""Paths of the probes and the metrics, which are answered even when all threads are busy."""

from __future__ import annotations

PROBE_PATHS = frozenset(
    {"/livez", "/readyz", "/startupz", "/metrics", "/v2/health/live", "/v2/health/ready"}
)
