"""Paths of the probes and of the metrics, which are answered whatever else waits."""

from __future__ import annotations

PROBE_PATHS = frozenset(
    {"/livez", "/readyz", "/startupz", "/metrics", "/v2/health/live", "/v2/health/ready"}
)
