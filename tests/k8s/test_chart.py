"""The Helm chart renders the same objects as kustomize."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.k8s.manifests import K8S, Manifest, pod_specs

pytestmark = pytest.mark.kubernetes

# Not published for Linux on arm64.
helm_python = pytest.importorskip("helm_python")

ON = {"enabled": True}
EMBEDDED = {"images": {"modelServer": {"repository": "lectern-model-server", "tag": "0.1.0"}}}
MANAGED = {
    "gpu": {**ON, "nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-l4"}},
    "modelsVolume": {**ON, "storageClassName": "standard-rwx", "size": "1Ti"},
    "ingress": {**ON, "className": "gce"},
    "autoscaling": {"by": "keda", "minReplicas": 1, "maxReplicas": 4},
    "monitoring": ON,
    "gpuMonitoring": ON,
}


@pytest.fixture(scope="module")
def chart() -> Any:
    return helm_python.Chart.load(str(K8S / "chart"))


def render_chart(chart: Any, values: dict[str, Any], namespace: str = "lectern") -> list[Manifest]:
    """Returns the objects of the chart."""
    texts = chart.render(values, name="lectern", namespace=namespace).values()
    return [each for text in texts for each in yaml.load_all(text, yaml.CSafeLoader) if each]


def comparable(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Returns objects by kind and name, without what Helm and kustomize must differ in.

    That is the namespace, which Helm does not own, the label that says which of them made an
    object, the hash of its content in the name of a ConfigMap, and the order of volumes, which
    means nothing.
    """
    text = json.dumps([each for each in manifests if each["kind"] != "Namespace"])
    text = re.sub(r'("app.kubernetes.io/managed-by": )"\w+"', r'\1""', text)
    text = re.sub(r'"model-server-[0-9a-z]{10}"', '"model-server-HASH"', text)
    objects = json.loads(text)
    for pod in pod_specs(objects):
        pod["volumes"].sort(key=lambda volume: volume["name"])
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in objects}


@pytest.mark.parametrize(
    ("overlay", "components", "values"),
    [
        ("cpu", (), {}),
        ("cpu", ("embedded",), EMBEDDED),
        ("gpu", (), {"gpu": ON}),
        ("gpu", ("autoscaling-keda",), {"gpu": ON, "autoscaling": {"by": "keda"}}),
        ("cpu", ("autoscaling-prometheus-adapter",), {"autoscaling": {"by": "prometheus-adapter"}}),
        (
            "cpu",
            ("api-keys", "ingress", "models-pvc", "stores", "tracing"),
            {
                "apiKeys": ON,
                "ingress": ON,
                "stores": ON,
                "modelsVolume": ON,
                "tracing": ON,
            },
        ),
        ("managed-gpu", (), MANAGED),
    ],
)
def test_the_chart_renders_what_kustomize_renders(
    chart: Any,
    rendered: Callable[..., list[Manifest]],
    overlay: str,
    components: tuple[str, ...],
    values: dict[str, Any],
) -> None:
    ours = comparable(render_chart(chart, values))
    theirs = comparable(rendered(overlay, *components))
    assert ours.keys() == theirs.keys()
    for name, manifest in theirs.items():
        assert ours[name] == manifest, name


def test_the_namespace_of_the_release_is_everywhere(chart: Any) -> None:
    manifests = render_chart(chart, MANAGED, namespace="other")
    assert {manifest["metadata"]["namespace"] for manifest in manifests} == {"other"}
    assert 'namespace="lectern"' not in yaml.safe_dump_all(manifests)


def test_values_set_images_and_where_alerts_find_the_runbook(chart: Any) -> None:
    images = {"gateway": {"repository": "registry.example.com/gateway", "tag": "1.2.3"}}
    prometheus = {"release": "metrics", "runbook": "https://git.example.org/copy"}
    values = {"images": images, "monitoring": ON, "prometheus": prometheus}
    text = yaml.safe_dump_all(render_chart(chart, values))
    assert "image: registry.example.com/gateway:1.2.3" in text
    assert "release: metrics" in text
    assert "runbook_url: https://git.example.org/copy/k8s/RUNBOOK.md#gatewayerrors" in text


def test_a_change_of_the_configuration_replaces_the_pods(chart: Any) -> None:
    [config] = [m for m in render_chart(chart, {}) if m["kind"] == "ConfigMap"]
    assert re.fullmatch(r"model-server-[0-9a-f]{10}", config["metadata"]["name"])


def test_helm_finds_no_mistake_in_the_chart() -> None:
    found = helm_python.lint(str(K8S / "chart"), strict=True)
    assert found["total_charts_linted"] == 1
    assert not found["errors"]
    assert [message["error"] for message in found["messages"]] == ["icon is recommended"]
