"""What a load tells the metrics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.model_server.errors import ServingError
from services.model_server.inference.metrics import Metrics
from services.model_server.loading.loader import load

Publish = Callable[..., Path]


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


def test_the_threads_of_a_run_are_shown(publish: Publish) -> None:
    metrics = Metrics()
    path = publish(1)
    metrics.loads.chose_threads(path, 8, 2)
    assert f'lectern_run_threads{{model_path="{path}",rows="8"}} 2.0' in metrics.page().decode()
