"""kubectl on the cluster that KUBECONFIG names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

IMAGES = ("lectern-gateway:dev", "lectern-model-server:dev", "lectern-models:dev")


class ClusterError(Exception):
    """There is no cluster that can be used; the message says what to do."""


def kubectl(*arguments: str | Path) -> str:
    """Run kubectl and return what it prints.

    Raises:
        ClusterError: it fails; the message holds what it said.
    """
    process = subprocess.run(
        ["kubectl", *arguments], capture_output=True, text=True, timeout=900, check=False
    )
    if process.returncode:
        raise ClusterError(f"kubectl {' '.join(map(str, arguments))}: {process.stderr.strip()}")
    return process.stdout


def check_cluster() -> None:
    """See that there is a cluster, and that nothing of ours is in it.

    Raises:
        ClusterError: KUBECONFIG is not set, or the namespace exists.
    """
    if not os.environ.get("KUBECONFIG"):
        raise ClusterError(
            "KUBECONFIG is not set: these tests deploy to a real cluster. Make one, for example "
            "with `kind create cluster --kubeconfig kind.yaml`, and set KUBECONFIG to its file."
        )
    if kubectl("get", "namespace", "lectern", "--ignore-not-found", "--output", "name"):
        raise ClusterError(
            "the cluster has a namespace `lectern` already, which these tests would delete: "
            "name another cluster in KUBECONFIG, or delete it yourself"
        )


def load_images() -> None:
    """Give a cluster of kind or minikube the images that `docker build` has made."""
    context = kubectl("config", "current-context").strip()
    if context.startswith("kind-") and shutil.which("kind"):
        cluster = context.removeprefix("kind-")
        subprocess.run(["kind", "load", "docker-image", "--name", cluster, *IMAGES], check=True)
    elif context == "minikube":
        subprocess.run(["minikube", "image", "load", *IMAGES], check=True)
