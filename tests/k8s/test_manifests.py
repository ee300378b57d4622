"""Every overlay, alone and with components: it renders, is valid, restricted and consistent."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from itertools import combinations

import kubernetes_validate
import pytest
import yaml

from tests.k8s.manifests import (
    COMPONENTS,
    K8S,
    OVERLAYS,
    TRAININGS,
    Manifest,
    all_containers,
    jobs,
    of_kind,
    pod_specs,
    pod_templates,
    render,
    render_with,
)

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("prepared")]

ROOT = K8S.parent
# Custom resources, which have no schema in Kubernetes.
CUSTOM = {"HTTPRoute", "JobSet", "PrometheusRule", "ScaledObject", "ServiceMonitor"}
SCALING = {"autoscaling-keda", "autoscaling-prometheus-adapter", "scale-to-zero"}
# Components that the overlays contain, or that do not fit them.
UNFIT: dict[str, set[str]] = {
    "local": {"embedded", "gpu", *SCALING},
    "cpu": set(),
    "gpu": {"embedded", "gpu"},
    "managed-gpu": {
        "embedded",
        "gpu",
        "gpu-monitoring",
        "ingress",
        "models-pvc",
        "models-image-volume",
        "prometheus-operator",
        *SCALING,
    },
}
# Components that exclude each other.
ALTERNATIVES = [
    {"embedded", "gpu"},
    SCALING,
    {"models-image-volume", "models-pvc"},
]
# What two overlays with as many components as possible leave out.
LEFT_OUT = [
    {"gpu", "autoscaling-prometheus-adapter", "scale-to-zero", "models-pvc"},
    {"embedded", "autoscaling-keda", "autoscaling-prometheus-adapter", "models-image-volume"},
]
# Components that only add documents, so that two of them cannot disturb each other.
ADDING = {"gateway-api", "gpu-monitoring", "ingress", "prometheus-operator", "stores"}


def compatible(components: tuple[str, ...]) -> bool:
    """Tells whether an overlay can contain all these components."""
    return not any(len(set(components) & some) > 1 for some in ALTERNATIVES)


def cases() -> list[tuple[str, tuple[str, ...], str | None]]:
    """Returns overlays with one component each, `cpu` with two and with many, and trainings."""
    single = [(overlay, ()) for overlay in OVERLAYS] + [
        (overlay, (component,))
        for overlay in OVERLAYS
        for component in COMPONENTS
        if component not in UNFIT[overlay]
    ]
    changing = [component for component in COMPONENTS if component not in ADDING]
    double = [("cpu", pair) for pair in combinations(changing, 2) if compatible(pair)]
    every = [
        ("cpu", tuple(component for component in COMPONENTS if component not in left_out))
        for left_out in LEFT_OUT
    ]
    return [(*case, None) for case in single + double + every] + [
        ("cpu", ("models-pvc",), training) for training in TRAININGS
    ]


@pytest.fixture(
    scope="module",
    params=cases(),
    ids=lambda case: "-".join([case[0], *case[1], *([case[2]] if case[2] else [])]),
)
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> object:
    overlay, components, training = request.param
    # kustomize requires relative paths without symbolic links.
    folder = tmp_path_factory.mktemp("kustomization").resolve()
    return render_with(overlay, components, training, folder)


@cache
def validate(document: str) -> None:
    """Validates a document, once for all cases that have it."""
    kubernetes_validate.validate(json.loads(document), "1.36", strict=True)


def test_every_document_matches_its_schema(manifests: list[Manifest]) -> None:
    for manifest in [*manifests, *jobs(manifests)]:
        if manifest["kind"] not in CUSTOM:
            validate(json.dumps(manifest))


def test_pods_are_restricted(manifests: list[Manifest]) -> None:
    """The `restricted` level of https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    for pod in pod_specs(manifests):
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod["automountServiceAccountToken"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    for container in all_containers(manifests):
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def assert_pinned(image: str) -> None:
    assert image.partition(":")[2] not in {"", "latest"}


def test_images_are_pinned_and_containers_limited(manifests: list[Manifest]) -> None:
    for container in all_containers(manifests):
        assert_pinned(container["image"])
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
    for pod in pod_specs(manifests):
        for volume in pod["volumes"]:
            if "image" in volume:
                assert_pinned(volume["image"]["reference"])


def test_selectors_match_labels(manifests: list[Manifest]) -> None:
    pods = [template["metadata"]["labels"] for template in pod_templates(manifests)]
    services = [service["metadata"]["labels"] for service in of_kind(manifests, "Service")]
    selecting = [
        (of_kind(manifests, "Service"), lambda spec: spec["selector"], pods),
        (of_kind(manifests, "Deployment"), lambda spec: spec["selector"]["matchLabels"], pods),
        (of_kind(manifests, "PodDisruptionBudget"), lambda s: s["selector"]["matchLabels"], pods),
        (
            [
                m
                for m in of_kind(manifests, "ServiceMonitor")
                if "namespaceSelector" not in m["spec"]
            ],
            lambda spec: spec["selector"]["matchLabels"],
            services,
        ),
        (
            of_kind(manifests, "NetworkPolicy"),
            lambda spec: spec["podSelector"].get("matchLabels", {}),
            pods,
        ),
    ]
    for chosen, selector_of, candidates in selecting:
        for manifest in chosen:
            selector = selector_of(manifest["spec"])
            assert any(selector.items() <= labels.items() for labels in candidates), manifest


def test_ports_refer_to_container_ports(manifests: list[Manifest]) -> None:
    named = {
        port["name"]
        for container in all_containers(manifests)
        for port in container.get("ports", [])
    }
    for service in of_kind(manifests, "Service"):
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
    service_ports = {
        service["metadata"]["name"]: {port["name"] for port in service["spec"]["ports"]}
        for service in of_kind(manifests, "Service")
    }
    for ingress in of_kind(manifests, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                assert backend["port"]["name"] in service_ports[backend["name"]]
    for container in all_containers(manifests):
        own = {port["name"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            action = container.get(probe, {})
            for kind in ("httpGet", "tcpSocket"):
                assert kind not in action or action[kind]["port"] in own


def test_every_reference_has_a_target(manifests: list[Manifest]) -> None:
    def names(kind: str) -> set[str]:
        return {manifest["metadata"]["name"] for manifest in of_kind(manifests, kind)}

    for pod in pod_specs(manifests):
        assert pod["serviceAccountName"] in names("ServiceAccount")
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        for volume in pod["volumes"]:
            assert "configMap" not in volume or volume["configMap"]["name"] in names("ConfigMap")
            claim = volume.get("persistentVolumeClaim")
            assert claim is None or claim["claimName"] in names("PersistentVolumeClaim")
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler") + of_kind(
        manifests, "ScaledObject"
    ):
        assert scaler["spec"]["scaleTargetRef"]["name"] in names("Deployment")
    scaled = [
        scaler["spec"]["scaleTargetRef"]["name"]
        for scaler in of_kind(manifests, "HorizontalPodAutoscaler")
        + of_kind(manifests, "ScaledObject")
    ]
    assert len(scaled) == len(set(scaled)), "two autoscalers scale the same Deployment"


def test_a_rollout_starts_new_pods_before_it_stops_old_ones(manifests: list[Manifest]) -> None:
    for deployment in of_kind(manifests, "Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        # A spare GPU is rarely there, so a new pod takes that of the pod that it replaces.
        has_gpu = "nvidia.com/gpu" in pod["containers"][0]["resources"]["limits"]
        expected = {"maxUnavailable": int(has_gpu), "maxSurge": int(not has_gpu)}
        assert deployment["spec"]["strategy"]["rollingUpdate"] == expected
        for container in pod["containers"]:
            pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
            assert pause + 15 <= pod["terminationGracePeriodSeconds"]


def test_the_configuration_is_the_same_as_in_compose() -> None:
    for path in (ROOT / "services/model_server/flag_files").iterdir():
        assert (K8S / "base/model-server" / path.name).read_text() == path.read_text()
    dashboard = "services/monitoring/grafana/dashboards/lectern.json"
    component = K8S / "components/prometheus-operator/lectern.json"
    assert component.read_text() == (ROOT / dashboard).read_text()


def test_the_flags_are_the_same_as_in_compose() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    wanted = {flag.partition("=")[0] for flag in compose["services"]["model-server"]["command"]}
    (pod,) = [
        pod
        for pod in pod_specs(render(K8S / "overlays/cpu"))
        if pod["containers"][0]["name"] == "model-server"
    ]
    assert wanted <= {flag.partition("=")[0] for flag in pod["containers"][0]["args"]}


def test_prometheus_config_of_compose_is_valid() -> None:
    subprocess.run(
        ["promtool", "check", "config", ROOT / "services/monitoring/prometheus.yml"], check=True
    )
