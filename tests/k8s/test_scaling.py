"""What the autoscalers ask Prometheus, evaluated over busy, idle and missing servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.k8s.manifests import K8S, Manifest, named, of_kind, pod_of
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


def test_prometheus_adapter_sees_the_same_as_keda(rendered: Rendered) -> None:
    folder = K8S / "components/autoscaling-prometheus-adapter"
    values = yaml.safe_load((folder / "adapter-values.yaml").read_text())
    rules = {rule["name"]["as"]: rule for rule in values["rules"]["external"]}
    scaler = named(rendered("gpu", folder.name), "HorizontalPodAutoscaler", "model-server-queue")
    metrics = [metric["external"] for metric in scaler["spec"]["metrics"]]
    for trigger, metric in zip(triggers(rendered), metrics, strict=True):
        target, query = metric["target"], trigger["metadata"]["query"]
        assert target["type"] == trigger["metricType"]
        threshold = target.get("value") or target.get("averageValue")
        assert threshold == trigger["metadata"]["threshold"]
        template = rules[metric["metric"]["name"]]["metricsQuery"]
        assert template.replace("<<.LabelMatchers>>", 'namespace="lectern"') == query


def test_a_request_starts_the_first_model_server(rendered: Rendered, tmp_path: Path) -> None:
    manifests = rendered("gpu", "scale-to-zero")
    spec = named(manifests, "ScaledObject", "model-server")["spec"]
    assert spec["minReplicaCount"] == 0
    # A gateway that is not ready would get no request.
    probe = pod_of(manifests, "gateway")["containers"][0]["readinessProbe"]
    assert probe["httpGet"]["path"] == "/livez"
    query = spec["triggers"][-1]["metadata"]["query"]
    requests = 'http_requests_total{namespace="lectern",task="predict",status="503"}'
    probes = 'http_requests_total{namespace="lectern",task="",status="200"}'
    check_value(tmp_path, query, {probes: "0+60x20"}, 0)
    check_value(tmp_path, query, {probes: "0+60x20", requests: "_x9 1x9"}, 1)
    check_value(tmp_path, query, {requests: "0+60x20"}, 1)
    check_value(tmp_path, query, {requests: "60x20"}, 0)


def test_autoscalers_grow_at_once_and_shrink_slowly(rendered: Rendered) -> None:
    behaviors = [
        scaler["spec"]["behavior"] for scaler in of_kind(rendered("cpu"), "HorizontalPodAutoscaler")
    ]
    scaled = named(rendered("gpu", "autoscaling-keda"), "ScaledObject", "model-server")
    behaviors.append(scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"])
    behaviors += [
        scaler["spec"]["behavior"]
        for scaler in of_kind(
            rendered("gpu", "autoscaling-prometheus-adapter"), "HorizontalPodAutoscaler"
        )
    ]
    for behavior in behaviors:
        assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
        assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 300
