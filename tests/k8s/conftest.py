from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.k8s.manifests import Manifest, render_with


@pytest.fixture(scope="session")
def prepared() -> None:
    subprocess.run([Path(__file__).parent / "prepare.sh"], check=True)


@pytest.fixture
def rendered(prepared: None, tmp_path: Path) -> Callable[..., list[Manifest]]:
    """Renders an overlay with components: `rendered("cpu", "tracing")`."""
    # kustomize requires relative paths without symbolic links.
    return lambda overlay, *components: render_with(overlay, components, None, tmp_path.resolve())
