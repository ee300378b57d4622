"""What the flags change in the answers over HTTP."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from services.model_server.inference.data_plane import DataPlane
from services.model_server.inference.metrics import Metrics
from services.model_server.rest_api.options import RestOptions, read_metrics_path
from services.model_server.rest_api.server import RestServer
from services.serving_api.text_proto import ConfigError


@contextmanager
def serving(served: Any, options: RestOptions) -> Iterator[str]:
    server = RestServer(served.manager, DataPlane(served.manager, "REST", Metrics()), options, 1)
    server.start()
    yield f"http://localhost:{options.port}"
    server.stop()


def test_a_request_that_takes_too_long_is_504(served: Any, ports: tuple[int, int]) -> None:
    body = json.dumps({"signature_name": "count", "instances": [100_000]})
    with serving(served, RestOptions(ports[1], timeout_seconds=0.1)) as url:
        response = requests.post(f"{url}/v1/models/half_plus_two:predict", body, timeout=20)
    assert response.status_code == 504
    assert "Timed out waiting for notification" in response.json()["error"]


def test_json_of_too_many_values_names_the_flag(served: Any, ports: tuple[int, int]) -> None:
    bodies = {
        "predict": b'{"instances": [' + b",".join([b'{"x": 1}'] * 100) + b"]}",
        "classify": b'{"examples": [' + b",".join([b'{"x": 1}'] * 100) + b"]}",
        "regress": b'{"examples": [' + b",".join([b'{"x": 1}'] * 100) + b"]}",
    }
    with serving(served, RestOptions(ports[1], max_json_values=800)) as url:
        for call, body in bodies.items():
            response = requests.post(f"{url}/v1/models/half_plus_two:{call}", body, timeout=20)
            assert response.status_code == 400
            assert "received JSON of some 808 values" in response.json()["error"]
            assert response.json()["error"].endswith("raise --rest_api_max_json_values")


def test_a_body_that_does_not_arrive_is_408(served: Any, ports: tuple[int, int]) -> None:
    head = b"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    with (
        serving(served, RestOptions(ports[1], timeout_seconds=0.1)),
        socket.create_connection(("localhost", ports[1]), 5) as connection,
    ):
        connection.sendall(head + b"{")
        assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"[" * 1001, {}),
        (gzip.compress(b"[" * 1001), {"Content-Encoding": "gzip"}),
        (iter([b"[" * 500, b"[" * 500, b"["]), {}),
    ],
)
def test_a_body_over_the_limit_is_413(
    served: Any, ports: tuple[int, int], body: Any, headers: dict[str, str]
) -> None:
    with serving(served, RestOptions(ports[1], max_body_bytes=1000)) as url:
        model = f"{url}/v1/models/half_plus_two"
        response = requests.post(f"{model}:predict", body, headers=headers, timeout=20)
        assert response.status_code == 413
        assert "raise --rest_api_max_body_bytes" in response.json()["error"]
        assert requests.get(model, timeout=20).status_code == 200


def test_without_the_flag_there_are_no_cors_headers(served: Any) -> None:
    response = requests.get(f"{served.url}/v1/models/half_plus_two", timeout=20)
    assert not [name for name in response.headers if name.startswith("Access-Control")]


def test_the_page_of_metrics_is_where_the_config_says(
    served: Any, ports: tuple[int, int], tmp_path: Path
) -> None:
    config = tmp_path / "monitoring.config"
    config.write_text('prometheus_config { enable: true path: "/own/metrics" }')
    options = RestOptions(ports[1], metrics_path=read_metrics_path(config))
    with serving(served, options) as url:
        assert requests.get(f"{url}/own/metrics", timeout=20).status_code == 200
        assert requests.get(f"{url}/monitoring/prometheus/metrics", timeout=20).status_code == 404


def test_metrics_are_off_unless_enabled(tmp_path: Path) -> None:
    config = tmp_path / "monitoring.config"
    config.write_text("prometheus_config { }")
    assert read_metrics_path(config) is None
    assert read_metrics_path(None) is None
    config.write_text("prometheus_config { enable: true }")
    assert read_metrics_path(config) == "/monitoring/prometheus/metrics"
    config.write_text("nonsense")
    with pytest.raises(ConfigError, match=r"Error parsing text-format .*MonitoringConfig"):
        read_metrics_path(config)
