"""The packages hold what they need, and the client installs alone.

pip fetches setuptools, and the requirements of the client, from its index.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.processes import ROOT

pytestmark = pytest.mark.packages
CLIENT = ROOT / "services" / "client"
CONTENTS = ("lectern", "requirements", "services", "training", "pyproject.toml", "README.md")


def build(source: Path, folder: Path) -> tuple[Path, set[str]]:
    """Returns the wheel of a copy of the sources, and the names of its files without metadata."""
    options = ["--no-deps", "--quiet", "--wheel-dir", folder]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, source], check=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return wheel, {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_client_installs_alone(tmp_path: Path) -> None:
    source = shutil.copytree(CLIENT, tmp_path / "client")
    wheel, files = build(source, tmp_path)
    assert files == {f"services/client/{path.name}" for path in CLIENT.glob("*.py")}

    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    program = "from services.client import Client; print(Client('http://127.0.0.1'))"
    done = subprocess.run(
        [python, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "Client object" in done.stdout


def test_the_package_holds_the_files_that_its_code_reads(tmp_path: Path) -> None:
    source = tmp_path / "lectern"
    source.mkdir()
    for name in CONTENTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    wheel, files = build(source, tmp_path)
    kinds = {".css", ".html", ".jpg", ".js", ".json", ".png", ".svg", ".config"}
    read = {
        str(path.relative_to(ROOT))
        for folder in ("gateway", "model_server")
        for path in (ROOT / "services" / folder).rglob("*")
        if path.suffix in kinds and path.parent.name != "pictures"
    }
    assert read <= files
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        text = archive.read(metadata).decode()
    # TensorFlow Serving's messages require this TensorFlow, and not tensorflow-cpu.
    for requirement in ("flask", "keras", "tensorflow==2.20.0", "tensorflow-serving-api==2.20.0"):
        assert f"Requires-Dist: {requirement}\n" in text
