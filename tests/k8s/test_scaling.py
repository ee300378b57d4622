"""What the autoscalers ask Prometheus, evaluated over busy, idle and missing servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.k8s.manifests import Manifest, named, of_kind
from tests.k8s.promtool import Series, check_value

pytestmark = pytest.mark.kubernetes

Rendered = Callable[..., list[Manifest]]
QUEUING = ":tensorflow:serving:batching_session:queuing_latency"


def waits(pod: str, per_minute: int, micros: int) -> Series:
    """Returns the series of a pod in which requests wait for their batch for so long."""
    labels = f'{{namespace="lectern",pod="{pod}"}}'
    return {
        f"{QUEUING}_count{labels}": f"0+{per_minute}x20",
        f"{QUEUING}_sum{labels}": f"0+{per_minute * micros}x20",
    }


BUSY = waits("a", 6000, 400_000) | waits("b", 6000, 200_000)
IDLE = waits("a", 0, 0)


def triggers(rendered: Rendered) -> tuple[Manifest, Manifest]:
    """Returns KEDA's triggers on the queue's depth and on the time in it."""
    scaled = named(rendered("gpu", "autoscaling-keda"), "ScaledObject", "model-server")
    depth, time = scaled["spec"]["triggers"]
    return depth, time


def test_keda_sees_how_many_requests_wait(rendered: Rendered, tmp_path: Path) -> None:
    depth, _ = triggers(rendered)
    query = depth["metadata"]["query"]
    assert depth["metricType"] == "AverageValue"
    # 100 requests a second that wait 0.4 s are 40 at any time, and 20 in the other pod.
    check_value(tmp_path, query, BUSY, 60)
    check_value(tmp_path, query, IDLE, 0)
    check_value(tmp_path, query, {}, 0)


def test_keda_sees_how_long_requests_wait(rendered: Rendered, tmp_path: Path) -> None:
    _, time = triggers(rendered)
    query = time["metadata"]["query"]
    # An average over all pods must not be divided by their number again.
    assert time["metricType"] == "Value"
    check_value(tmp_path, query, BUSY, 300)
    check_value(tmp_path, query, IDLE, 0)
    check_value(tmp_path, query, {}, 0)


def test_autoscalers_grow_at_once_and_shrink_slowly(rendered: Rendered) -> None:
    behaviors = [
        scaler["spec"]["behavior"] for scaler in of_kind(rendered("cpu"), "HorizontalPodAutoscaler")
    ]
    scaled = named(rendered("gpu", "autoscaling-keda"), "ScaledObject", "model-server")
    behaviors.append(scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"])
    for behavior in behaviors:
        assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
        assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 300
