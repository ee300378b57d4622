"""What a load tells the metrics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.model_server.errors import ServingError
from services.model_server.inference.metrics import Metrics
from services.model_server.loading.loader import load
from services.serving_api.protos import predict_pb2
from tests.services.model_server.loading.test_warmup import log_of, write

Publish = Callable[..., Path]
MakeRequest = Callable[..., predict_pb2.PredictRequest]


def loaded(path: Path) -> str:
    metrics = Metrics()
    load(path, metrics=metrics.loads).close()
    return metrics.page().decode()


def test_a_load_is_counted_and_timed(publish: Publish) -> None:
    path = publish(1)
    page = loaded(path)
    attempts = ":tensorflow:cc:saved_model:load_attempt_count"
    assert f'{attempts}{{model_path="{path}",status="success"}} 1.0' in page
    [latency] = [line for line in page.splitlines() if ":load_latency{" in line]
    assert 0 < float(latency.split()[-1]) < 60e6
    assert "model_warmup_latency_count" not in page


def test_a_failed_load_is_counted(publish: Publish) -> None:
    path = publish(1, corrupt=True)
    metrics = Metrics()
    with pytest.raises(ServingError):
        load(path, metrics=metrics.loads)
    assert f'{{model_path="{path}",status="fail"}} 1.0' in metrics.page().decode()


def test_a_warm_up_is_timed(publish: Publish, make_request: MakeRequest) -> None:
    path = publish(1)
    write(path, log_of(make_request(x=np.ones((1, 1), np.float32))))
    labels = f'{{model_path="{path}",status="OK"}}'
    assert f":tensorflow:serving:model_warmup_latency_count{labels} 1.0" in loaded(path)
