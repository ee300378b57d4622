"""Runs a Deployment's pod with podman, and its probes in place of a kubelet."""

from __future__ import annotations

import copy
import json
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import requests
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.k8s.manifests import Manifest
from tests.processes import free_port

CONFIG = Path(__file__).parent / "containers.conf"
NETWORK = "lectern-test"


class PodmanError(Exception):
    """podman failed; the message has its errors."""


def podman(*arguments: str | Path) -> str:
    """Runs podman and returns its output.

    Raises:
        PodmanError: podman failed.
    """
    process = subprocess.run(
        ["podman", *arguments],
        env={**os.environ, "CONTAINERS_CONF": str(CONFIG)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if process.returncode:
        raise PodmanError(f"podman {arguments}: {process.stderr}")
    return process.stdout


def for_podman(deployment: Manifest, hosts: dict[str, str]) -> tuple[Manifest, dict[str, int]]:
    """Adds to a Deployment what a cluster would give its pod.

    Args:
        deployment: the document.
        hosts: addresses by host name, because podman has no Services.

    Returns:
        The Deployment, and the published port for the name of each container port.
    """
    deployment = copy.deepcopy(deployment)
    pod = deployment["spec"]["template"]["spec"]
    pod["hostAliases"] = [{"ip": ip, "hostnames": [name]} for name, ip in hosts.items()]
    # With the policy Always, some versions of podman restart a finished init container.
    pod["restartPolicy"] = "Never"
    [container] = pod["containers"]
    ports = {port["name"]: free_port() for port in container["ports"]}
    for port in container["ports"]:
        port.update(hostIP="127.0.0.1", hostPort=ports[port["name"]])
    # podman would run it with curl or nc inside the container.
    del container["livenessProbe"]
    # An emptyDir becomes a volume of that name, which pods would share.
    name = deployment["metadata"]["name"]
    for volume in [*pod["volumes"], *_mounts(pod)]:
        volume["name"] = f"{NETWORK}-{name}-{volume['name']}"
    return deployment, ports


def _mounts(pod: Manifest) -> list[Manifest]:
    containers = [*pod["containers"], *pod["initContainers"]]
    return [mount for container in containers for mount in container["volumeMounts"]]


@dataclass(frozen=True)
class Pod:
    """A running pod.

    Attributes:
        name: name of its Deployment.
        container: the container in the manifest.
        ports: published ports, by the names of the container ports.
    """

    name: str
    container: Manifest
    ports: dict[str, int]

    @property
    def container_name(self) -> str:
        """The name that podman gives the container; versions differ in its middle part."""
        names = podman("ps", "--all", "--format", "{{.Names}}").split()
        [name] = [
            name
            for name in names
            if name.startswith(f"{self.name}-pod") and name.endswith(f"-{self.container['name']}")
        ]
        return name

    def inspect(self) -> dict[str, Any]:
        """Returns what `podman container inspect` prints for the container."""
        [seen] = json.loads(podman("container", "inspect", self.container_name))
        return dict(seen)

    def address(self) -> str:
        """Returns the pod's IP address."""
        infra = podman("pod", "ps", "--filter", f"name={self.name}-pod", "--format", "{{.InfraID}}")
        [seen] = json.loads(podman("container", "inspect", infra.strip()))
        [network] = seen["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])

    def passes(self, probe: str) -> bool:
        """Runs a probe of the container: `startupProbe`, `readinessProbe` or `livenessProbe`."""
        action = self.container[probe]
        try:
            if "httpGet" in action:
                return self._http_get(action["httpGet"])
            if "grpc" in action:
                return self._grpc(action["grpc"])
            return self._tcp_socket(action["tcpSocket"])
        except (OSError, grpc.RpcError, requests.RequestException):
            return False

    def _http_get(self, action: Manifest) -> bool:
        url = f"http://127.0.0.1:{self.ports[action['port']]}{action['path']}"
        return 200 <= requests.get(url, timeout=5).status_code < 400

    def _grpc(self, action: Manifest) -> bool:
        names = {port["containerPort"]: port["name"] for port in self.container["ports"]}
        port = self.ports[names[action["port"]]]
        request = health_pb2.HealthCheckRequest(service=action["service"])
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=5)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _tcp_socket(self, action: Manifest) -> bool:
        socket.create_connection(("127.0.0.1", self.ports[action["port"]]), timeout=5).close()
        return True


def play(
    deployment: Manifest, config_maps: list[Manifest], hosts: dict[str, str], folder: Path
) -> Pod:
    """Starts a Deployment's pod.

    Args:
        deployment: the document.
        config_maps: the config maps that it mounts.
        hosts: addresses by host name.
        folder: folder for the documents that podman reads.

    Raises:
        PodmanError: the pod does not start.
    """
    name = deployment["metadata"]["name"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    changed, ports = for_podman(deployment, hosts)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump_all([*config_maps, changed]))
    podman("kube", "play", "--network", NETWORK, path)
    return Pod(name, container, ports)


def remove_pods() -> None:
    """Removes the pods with their volumes and network, also those of an interrupted run."""
    for name in podman("pod", "ps", "--format", "{{.Name}}").split():
        if name.startswith(("gateway-pod", "model-server-pod")):
            podman("pod", "rm", "--force", name)
    for name in podman("volume", "ls", "--format", "{{.Name}}").split():
        # The volume of a config map has the name of the config map.
        if name.startswith((f"{NETWORK}-", "model-server-")):
            podman("volume", "rm", name)
    podman("network", "rm", "--force", NETWORK)
