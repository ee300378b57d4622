"""Runs kubectl on the cluster of KUBECONFIG."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

IMAGES = ("lectern-gateway:dev", "lectern-model-server:dev", "lectern-models:dev")


class ClusterError(Exception):
    """No usable cluster; the message says how to get one."""


def kubectl(*arguments: str | Path) -> str:
    """Runs kubectl and returns its output.

    Raises:
        ClusterError: kubectl failed; the message has its errors.
    """
    process = subprocess.run(
        ["kubectl", *arguments], capture_output=True, text=True, timeout=900, check=False
    )
    if process.returncode:
        raise ClusterError(f"kubectl {' '.join(map(str, arguments))}: {process.stderr.strip()}")
    return process.stdout


def check_cluster() -> None:
    """Checks that there is a cluster without a namespace `lectern`.

    Raises:
        ClusterError: KUBECONFIG is not set, or the namespace exists.
    """
    if not os.environ.get("KUBECONFIG"):
        raise ClusterError(
            "KUBECONFIG is not set: these tests deploy to a real cluster. Create one, for example "
            "with `kind create cluster --kubeconfig kind.yaml`, and set KUBECONFIG to that file."
        )
    if kubectl("get", "namespace", "lectern", "--ignore-not-found", "--output", "name"):
        raise ClusterError(
            "the cluster already has a namespace `lectern`, which these tests would delete: "
            "set KUBECONFIG to another cluster, or delete the namespace"
        )


def load_images() -> None:
    """Loads the local images into a cluster of kind or minikube."""
    context = kubectl("config", "current-context").strip()
    if context.startswith("kind-") and shutil.which("kind"):
        cluster = context.removeprefix("kind-")
        subprocess.run(["kind", "load", "docker-image", "--name", cluster, *IMAGES], check=True)
    elif context == "minikube":
        subprocess.run(["minikube", "image", "load", *IMAGES], check=True)
