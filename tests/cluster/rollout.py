"""The local overlay in a real cluster, restarted under load: `make test-cluster`.

No other command collects this file. It has not been run yet, for want of a cluster.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kubectl import ClusterError, check_cluster, kubectl, load_images
from tests.k8s.manifests import K8S

LOAD = (Path(__file__).parent / "load.py").read_text()
# A separate namespace, because pods in `lectern` may not call the gateway.
LOAD_NAMESPACE = "lectern-load"
URL = "http://gateway.lectern/v1/models/cnn:predict"
SAMPLE = "/app/services/gateway/static/samples/bag.png"
DEPLOYMENTS = ("deployment/gateway", "deployment/model-server")


@pytest.fixture(scope="module")
def deployed() -> Iterator[None]:
    """Deploys the local overlay and a pod that sends predictions."""
    try:
        check_cluster()
    except ClusterError as error:
        pytest.exit(str(error), returncode=1)
    load_images()
    try:
        kubectl("apply", "--kustomize", K8S / "overlays/local")
        wait_for_rollouts()
        kubectl("create", "namespace", LOAD_NAMESPACE)
        command = ("--command", "--", "python3", "-c", LOAD, URL, SAMPLE)
        image = "--image=lectern-gateway:dev"
        kubectl("run", "load", "-n", LOAD_NAMESPACE, image, "--restart=Never", *command)
        pod_is_ready = "--for=condition=Ready"
        kubectl("wait", "-n", LOAD_NAMESPACE, pod_is_ready, "pod/load", "--timeout=120s")
        yield
    finally:
        kubectl("delete", "namespace", LOAD_NAMESPACE, "--ignore-not-found")
        kubectl("delete", "--kustomize", K8S / "overlays/local", "--ignore-not-found")


def wait_for_rollouts() -> None:
    for deployment in DEPLOYMENTS:
        kubectl("rollout", "status", "-n", "lectern", deployment, "--timeout=600s")


def answers() -> dict[str, int]:
    """Returns the number of answers by status."""
    lines = kubectl("logs", "-n", LOAD_NAMESPACE, "pod/load").splitlines()
    return json.loads(lines[-1]) if lines else {}


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_rollout_under_load_loses_no_request(deployment: str) -> None:
    time.sleep(5)
    before = answers()
    kubectl("rollout", "restart", "-n", "lectern", deployment)
    wait_for_rollouts()
    time.sleep(30)  # The old pod drains after the new one is ready.
    after = answers()
    assert set(after) == {"200"}
    assert after["200"] > before["200"] > 0
