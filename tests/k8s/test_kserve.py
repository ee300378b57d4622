"""KServe's runtimes: pods that Kubernetes takes, flags and settings that the servers know."""

from __future__ import annotations

import kubernetes_validate
import pytest
import yaml

from services.gateway.settings import Settings
from services.model_server.flags import parse_flags
from tests.k8s.manifests import K8S, Manifest, of_kind, render

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("prepared")]


@pytest.fixture(scope="module")
def runtimes(prepared: None) -> dict[str, Manifest]:
    manifests = of_kind(render(K8S / "kserve"), "ClusterServingRuntime")
    return {manifest["metadata"]["name"]: manifest["spec"] for manifest in manifests}


def containers(runtime: Manifest) -> dict[str, Manifest]:
    """Returns the containers of a runtime by name."""
    return {container["name"]: container for container in runtime["containers"]}


def test_their_pods_match_kubernetes_schema_and_are_restricted(
    runtimes: dict[str, Manifest],
) -> None:
    for name, runtime in runtimes.items():
        spec = {key: runtime[key] for key in ("containers", "volumes")}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        kubernetes_validate.validate(pod, "1.36", strict=True)
        for container in spec["containers"]:
            assert container["image"].endswith(":0.1.0")
            context = container["securityContext"]
            assert context["runAsNonRoot"]
            assert context["readOnlyRootFilesystem"]
            assert context["capabilities"] == {"drop": ["ALL"]}


def test_the_model_server_knows_its_flags(runtimes: dict[str, Manifest]) -> None:
    for runtime in runtimes.values():
        args = containers(runtime)["kserve-container"]["args"]
        flags = parse_flags([argument.replace("{{.Name}}", "fashion") for argument in args])
        assert (flags.model_name, flags.model_base_path) == ("fashion", "/mnt/models")


def test_http_requests_reach_the_gateway_and_it_the_model_server(
    runtimes: dict[str, Manifest],
) -> None:
    both = containers(runtimes["lectern"])
    gateway = both["transformer-container"]
    # KServe sends requests to the first port of this container; Knative allows one port a pod.
    assert [port["containerPort"] for port in gateway["ports"]] == [8080]
    assert "ports" not in both["kserve-container"]
    variables = {variable["name"]: variable for variable in gateway["env"]}
    fields = {f"LECTERN_{name.upper()}" for name in Settings.model_fields}
    assert variables.keys() <= fields
    server = parse_flags(both["kserve-container"]["args"])
    assert variables["LECTERN_MODEL_SERVER"]["value"] == f"127.0.0.1:{server.port}"


def test_there_is_an_example_for_every_protocol(runtimes: dict[str, Manifest]) -> None:
    examples = yaml.safe_load_all((K8S / "kserve/examples.yaml").read_text())
    models = [example["spec"]["predictor"]["model"] for example in examples]
    assert {model["protocolVersion"] for model in models} == {"v1", "v2", "grpc-v2"}
    for model in models:
        runtime = runtimes[model["runtime"]]
        assert model["protocolVersion"] in runtime["protocolVersions"]
        assert model["modelFormat"] in runtime["supportedModelFormats"]


def test_the_gateway_in_a_runtime_needs_no_list_of_models(runtimes: dict[str, Manifest]) -> None:
    gateway = containers(runtimes["lectern"])["transformer-container"]
    [names] = [each for each in gateway["env"] if each["name"] == "LECTERN_MODELS"]
    # KServe labels the pod with the model's name.
    path = "metadata.labels['serving.kserve.io/inferenceservice']"
    assert names["valueFrom"]["fieldRef"]["fieldPath"] == path
