"""How the HTTP server listens and answers, as the command line says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.model_server.config.config_protos import MonitoringConfig
from services.serving_api.rest_json.parsing import DEFAULT_MAX_VALUES
from services.serving_api.text_proto import read_text_proto

DEFAULT_MAX_BODY_BYTES = 64 * 2**20

METRICS_PATH = "/monitoring/prometheus/metrics"
"""TensorFlow Serving's default."""


@dataclass(frozen=True)
class RestOptions:
    """Where and how to listen.

    Attributes:
        port: on all addresses.
        num_threads: that work on requests.
        timeout_seconds: for a request to arrive, and again for its answer.
        max_body_bytes: before and after decompression.
        max_json_values: of a body; see `count_values`.
        enable_cors: let pages of other origins call.
        metrics_path: where Prometheus finds its page; None for nowhere.
    """

    port: int
    num_threads: int = 8
    timeout_seconds: float = 30
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    max_json_values: int = DEFAULT_MAX_VALUES
    enable_cors: bool = False
    metrics_path: str | None = None


def read_metrics_path(path: Path | None) -> str | None:
    """Reads from a `MonitoringConfig` where the Prometheus page is, None if it is off.

    Raises:
        ConfigError: the file is no MonitoringConfig.
    """
    if not path:
        return None
    config = read_text_proto(path, MonitoringConfig()).prometheus_config
    return (config.path or METRICS_PATH) if config.enable else None
