"""Renders the manifests like `kubectl apply -k`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

K8S = Path(__file__).parents[2] / "k8s"
OVERLAYS = sorted(path.name for path in (K8S / "overlays").iterdir())
COMPONENTS = sorted(path.name for path in (K8S / "components").iterdir())
TRAININGS = sorted(path.name for path in (K8S / "training").iterdir() if path.name != "base")

Manifest = dict[str, Any]


def render(folder: Path) -> list[Manifest]:
    """Returns the documents of a kustomization.

    Raises:
        AssertionError: the kustomization does not render.
    """
    process = subprocess.run(
        ["kubectl", "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return [document for document in yaml.load_all(process.stdout, yaml.CSafeLoader) if document]


def render_with(
    overlay: str, components: tuple[str, ...], training: str | None, folder: Path
) -> list[Manifest]:
    """Returns the documents of an overlay with components, from a kustomization in `folder`.

    Args:
        overlay: one of OVERLAYS.
        components: some of COMPONENTS.
        training: one of TRAININGS, whose documents are added.
        folder: an empty folder.

    Raises:
        AssertionError: the kustomization does not render.
    """
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
    return render(folder) + (render(K8S / "training" / training) if training else [])


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    """Returns the documents of a kind."""
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """Returns the document of a kind and name."""
    [manifest] = [m for m in of_kind(manifests, kind) if m["metadata"]["name"] == name]
    return manifest


def pod_of(manifests: list[Manifest], deployment: str) -> Manifest:
    """Returns the pod's spec of a Deployment."""
    return dict(named(manifests, "Deployment", deployment)["spec"]["template"]["spec"])


def jobs(manifests: list[Manifest]) -> list[Manifest]:
    """Returns the Jobs, including those that a JobSet creates."""
    made = [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": job["name"]},
            **job["template"],
        }
        for job_set in of_kind(manifests, "JobSet")
        for job in job_set["spec"]["replicatedJobs"]
    ]
    return of_kind(manifests, "Job") + made


def pod_templates(manifests: list[Manifest]) -> list[Manifest]:
    """Returns the pod templates of Deployments, Jobs and JobSets."""
    owners = of_kind(manifests, "Deployment") + jobs(manifests)
    return [owner["spec"]["template"] for owner in owners]


def pod_specs(manifests: list[Manifest]) -> list[Manifest]:
    """Returns the specs of the pod templates."""
    return [template["spec"] for template in pod_templates(manifests)]


def all_containers(manifests: list[Manifest]) -> list[Manifest]:
    """Returns the containers of all pods, including init containers."""
    return [
        container
        for pod in pod_specs(manifests)
        for container in [*pod["containers"], *pod.get("initContainers", [])]
    ]
