"""What each component adds to an overlay."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from services.gateway.settings import Settings
from tests.k8s.manifests import (
    COMPONENTS,
    K8S,
    OVERLAYS,
    Manifest,
    jobs,
    named,
    of_kind,
    pod_of,
    render,
)

pytestmark = pytest.mark.kubernetes

Rendered = Callable[..., list[Manifest]]


def variables(pod: Manifest) -> dict[str, str]:
    """Returns the environment variables of a pod's only container."""
    return {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"]}


def egress(manifests: list[Manifest], app: str) -> list[Manifest]:
    """Returns the egress rules of the pods of an application."""
    return [
        rule
        for policy in of_kind(manifests, "NetworkPolicy")
        if policy["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name", app)
        == app
        for rule in policy["spec"].get("egress", [])
    ]


def egress_ports(manifests: list[Manifest], app: str) -> set[object]:
    """Returns the ports that pods may reach."""
    return {port["port"] for rule in egress(manifests, app) for port in rule["ports"]}


def test_gpu_servers_are_not_scaled_by_cpu_use(rendered: Rendered) -> None:
    manifests = rendered("cpu", "gpu")
    [scaler] = of_kind(manifests, "HorizontalPodAutoscaler")
    assert scaler["metadata"]["name"] == "gateway"
    assert "replicas" not in named(manifests, "Deployment", "model-server")["spec"]


def test_an_update_of_gpu_servers_needs_no_spare_gpu(rendered: Rendered) -> None:
    strategy = named(rendered("gpu"), "Deployment", "model-server")["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


@pytest.mark.parametrize("address", ["169.254.20.10", "169.254.169.254"])
def test_pods_reach_dns_at_link_local_addresses(rendered: Rendered, address: str) -> None:
    """The addresses of NodeLocal DNSCache and Google's Cloud DNS."""
    [dns] = named(rendered("cpu"), "NetworkPolicy", "dns")["spec"]["egress"]
    blocks = [peer["ipBlock"]["cidr"] for peer in dns["to"] if "ipBlock" in peer]
    assert any(ip_address(address) in ip_network(block) for block in blocks)


def test_traces_leave_the_gateway_for_their_collector(rendered: Rendered) -> None:
    manifests = rendered("cpu", "tracing")
    endpoint = variables(pod_of(manifests, "gateway"))["OTEL_EXPORTER_OTLP_ENDPOINT"]
    host, _, port = endpoint.removeprefix("http://").partition(":")
    namespace = {"kubernetes.io/metadata.name": host.partition(".")[2]}
    assert {
        "to": [{"namespaceSelector": {"matchLabels": namespace}}],
        "ports": [{"protocol": "TCP", "port": int(port)}],
    } in egress(manifests, "gateway")
    assert int(port) not in egress_ports(rendered("cpu"), "gateway")


@pytest.mark.parametrize("app", ["gateway", "model-server"])
def test_only_the_component_lets_pods_reach_stores(rendered: Rendered, app: str) -> None:
    assert 443 not in egress_ports(rendered("cpu"), app)
    assert 443 in egress_ports(rendered("cpu", "stores"), app)


def test_api_keys_come_from_a_secret(rendered: Rendered) -> None:
    pod = pod_of(rendered("cpu", "api-keys"), "gateway")
    assert "api_keys_file" in Settings.model_fields
    path = Path(variables(pod)["LECTERN_API_KEYS_FILE"])
    [volume] = [volume for volume in pod["volumes"] if "secret" in volume]
    [mount] = [m for m in pod["containers"][0]["volumeMounts"] if m["name"] == volume["name"]]
    assert Path(mount["mountPath"]) == path.parent
    component = (K8S / "components/api-keys/kustomization.yaml").read_text()
    create = f"create secret generic {volume['secret']['secretName']} --from-file={path.name}=FILE"
    assert create in component


def test_the_gateway_gets_the_models_names_and_cards_alone(tmp_path: Path) -> None:
    wanted = {"models.config", "cnn/1/assets.extra/README.md"}
    for name in wanted | {"cnn/1/saved_model.pb", "README.md"}:
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    target = tmp_path / "models"
    target.mkdir()
    [init] = pod_of(render(K8S / "overlays/cpu"), "gateway")["initContainers"]
    command = [f"{target}/" if word == "/models/" else word for word in init["command"]]
    subprocess.run(command, cwd=tmp_path / "repository", check=True)
    copied = {str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()}
    assert copied == wanted


def test_a_job_fills_an_empty_volume_of_models_once(rendered: Rendered, tmp_path: Path) -> None:
    manifests = rendered("cpu", "models-pvc")
    [claim] = of_kind(manifests, "PersistentVolumeClaim")
    assert claim["spec"]["storageClassName"]
    [job] = jobs(manifests)
    [seed] = job["spec"]["template"]["spec"]["containers"]
    init = {app: pod_of(manifests, app)["initContainers"][0] for app in ("gateway", "model-server")}
    # The kustomization that renders contains the image's tag.
    assert {seed["image"]} == {container["image"] for container in init.values()}
    repository, volume = tmp_path / "repository", tmp_path / "volume"
    (repository / "cnn/1").mkdir(parents=True)
    volume.mkdir()
    config = volume / "models.config"

    def run(container: Manifest) -> None:
        shell, option, script = container["command"]
        script = script.replace("/models/", f"{volume}/")
        subprocess.run([shell, option, script], cwd=repository, check=True, timeout=60)

    (repository / "models.config").write_text("of the image")
    run(seed)
    assert (volume / "cnn/1").is_dir()
    assert config.read_text() == "of the image"
    for container in init.values():
        run(container)  # It returns, since the file exists.
    config.write_text("changed")
    run(seed)
    assert config.read_text() == "changed"


def test_the_monitors_are_selected_by_kube_prometheus_stack(rendered: Rendered) -> None:
    manifests = rendered("cpu", "prometheus-operator")
    for manifest in of_kind(manifests, "ServiceMonitor") + of_kind(manifests, "PrometheusRule"):
        assert manifest["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_models_are_mounted_from_their_image(rendered: Rendered) -> None:
    manifests = rendered("cpu", "models-image-volume")
    for app in ("gateway", "model-server"):
        pod = pod_of(manifests, app)
        assert not pod.get("initContainers")
        [mount] = [m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "models"]
        # The folder of the image that the init container would copy.
        dockerfile = (K8S.parent / "models/Dockerfile").read_text()
        assert f"WORKDIR /{mount['subPath']}\n" in dockerfile
        [volume] = [volume for volume in pod["volumes"] if volume["name"] == "models"]
        assert volume["image"]["reference"] == "lectern-models:0.1.0"
        assert "emptyDir" not in volume


def test_gpu_servers_can_be_bound_to_kinds_of_gpu(rendered: Rendered) -> None:
    affinity = pod_of(rendered("gpu", "gpu-product"), "model-server")["affinity"]["nodeAffinity"]
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    # Terms are alternatives: a node has the label of one of them.
    assert [[e["key"] for e in term["matchExpressions"]] for term in terms] == [
        ["nvidia.com/gpu.product"],
        ["cloud.google.com/gke-accelerator"],
    ]


def test_the_managed_overlay_sets_what_providers_differ_in(rendered: Rendered) -> None:
    manifests = rendered("managed-gpu")
    assert pod_of(manifests, "model-server")["nodeSelector"]
    assert named(manifests, "Ingress", "gateway")["spec"]["ingressClassName"] == "gce"
    claim = named(manifests, "PersistentVolumeClaim", "models")["spec"]
    assert claim["storageClassName"] == "standard-rwx"
    assert named(manifests, "ScaledObject", "model-server")["spec"]["minReplicaCount"] == 1


def test_the_dcgm_exporters_labels_are_kept(rendered: Rendered) -> None:
    monitor = named(rendered("gpu", "gpu-monitoring"), "ServiceMonitor", "dcgm-exporter")
    assert monitor["spec"]["endpoints"][0]["honorLabels"] is True


def test_the_readme_describes_every_component_and_overlay() -> None:
    readme = (K8S / "README.md").read_text()
    for name in COMPONENTS + OVERLAYS:
        assert f"| `{name}` |" in readme


def test_overlays_say_how_to_set_every_image_of_lectern() -> None:
    for overlay in ("cpu", "gpu", "managed-gpu"):
        text = (K8S / "overlays" / overlay / "kustomization.yaml").read_text()
        for image in ("lectern-gateway", "lectern-models"):
            assert f"{image}=REGISTRY/{image}:" in text
