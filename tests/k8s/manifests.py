"""Renders the manifests as `kubectl apply -k` would."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

K8S = Path(__file__).parents[2] / "k8s"
OVERLAYS = sorted(path.name for path in (K8S / "overlays").iterdir())
COMPONENTS = sorted(path.name for path in (K8S / "components").iterdir())

Manifest = dict[str, Any]


def render(folder: Path) -> list[Manifest]:
    """Return the documents of a kustomization.

    Raises:
        AssertionError: it does not render.
    """
    process = subprocess.run(
        ["kubectl", "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return [document for document in yaml.safe_load_all(process.stdout) if document]


def render_with(overlay: str, components: tuple[str, ...], folder: Path) -> list[Manifest]:
    """Return the documents of an overlay with components, by a kustomization in `folder`."""
    (folder / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "namespace": "lectern",
                "resources": [os.path.relpath(K8S / "overlays" / overlay, folder)],
                "components": [
                    os.path.relpath(K8S / "components" / component, folder)
                    for component in components
                ],
            }
        )
    )
    return render(folder)


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    """Return the documents of a kind."""
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def pod_specs(manifests: list[Manifest]) -> list[Manifest]:
    """Return the pod of each Deployment."""
    return [
        deployment["spec"]["template"]["spec"] for deployment in of_kind(manifests, "Deployment")
    ]


def all_containers(manifests: list[Manifest]) -> list[Manifest]:
    """Return the containers of all pods, those that run first included."""
    return [
        container
        for pod in pod_specs(manifests)
        for container in [*pod["containers"], *pod.get("initContainers", [])]
    ]
