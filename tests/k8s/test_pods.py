"""The pods of the local overlay under podman; the tests run in this order, on the same pods."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
import requests

from tests.compose.stack import ROOT, copy_models
from tests.k8s.manifests import K8S, of_kind, render
from tests.k8s.pods import NETWORK, Pod, PodmanError, play, podman, remove_pods
from tests.processes import SAMPLES, wait_until

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("prepared")]

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pod, Pod]]:
    """Runs the pods of the gateway and the model server."""
    subprocess.run([ROOT / "tests/compose/prepare.sh"], check=True)
    folder = tmp_path_factory.mktemp("podman")
    (folder / "models").mkdir()
    copy_models(folder / "models")
    subprocess.run([ROOT / "tests/k8s/load_images.sh", folder], check=True)
    manifests = render(K8S / "overlays/local")
    config_maps = of_kind(manifests, "ConfigMap")
    deployments = {
        deployment["metadata"]["name"]: deployment
        for deployment in of_kind(manifests, "Deployment")
    }
    remove_pods()
    podman("network", "create", NETWORK)
    try:
        model_server = play(deployments["model-server"], config_maps, {}, folder)
        hosts = {"model-server": model_server.address()}
        yield play(deployments["gateway"], config_maps, hosts, folder), model_server
    finally:
        remove_pods()


@pytest.mark.parametrize("probe", PROBES)
def test_every_probe_passes(pods: tuple[Pod, Pod], probe: str) -> None:
    for pod in reversed(pods):
        # The startup probe has the longest timeout.
        startup = pod.container["startupProbe"]
        seconds = startup["periodSeconds"] * startup["failureThreshold"]
        wait_until(lambda pod=pod: pod.passes(probe), seconds, f"{probe} of {pod.name}")


def test_the_gateway_predicts(pods: tuple[Pod, Pod]) -> None:
    gateway, _ = pods
    answer = requests.post(
        f"http://127.0.0.1:{gateway.ports['http']}/v1/models/cnn:predict",
        (SAMPLES / "bag.png").read_bytes(),
        headers={"Content-Type": "image/png"},
        timeout=15,
    )
    assert answer.json()["predictions"][0]["label"] == "Bag"


def test_the_gateway_has_the_models_cards(pods: tuple[Pod, Pod]) -> None:
    gateway, _ = pods
    url = f"http://127.0.0.1:{gateway.ports['http']}/v1/models/cnn/card"
    card = requests.get(url, timeout=15).text
    assert card == (ROOT / "models/cnn/1/assets.extra/README.md").read_text()


def test_containers_are_restricted(pods: tuple[Pod, Pod]) -> None:
    for pod in pods:
        seen = pod.inspect()
        assert seen["HostConfig"]["ReadonlyRootfs"]
        assert not seen["EffectiveCaps"]
        limit = pod.container["resources"]["limits"]["memory"]
        units = {"Mi": 2**20, "Gi": 2**30}
        assert seen["HostConfig"]["Memory"] == int(limit[:-2]) * units[limit[-2:]]
        assert podman("exec", pod.container_name, "id", "--user").strip() == "10001"
        with pytest.raises(PodmanError):
            podman("exec", pod.container_name, "touch", "/models/tried")
        status = podman("exec", pod.container_name, "cat", "/proc/1/status")
        assert "NoNewPrivs:\t1" in status


def test_the_gateway_is_not_ready_without_its_model_server_and_both_stop_cleanly(
    pods: tuple[Pod, Pod],
) -> None:
    gateway, model_server = pods
    podman("stop", "--time", "60", model_server.container_name)
    wait_until(lambda: not gateway.passes("readinessProbe"), 30, "a gateway that is not ready")
    assert gateway.passes("livenessProbe")
    podman("stop", "--time", "30", gateway.container_name)
    for pod in pods:
        assert pod.inspect()["State"]["ExitCode"] == 0
