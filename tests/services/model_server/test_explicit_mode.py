"""A server whose models are loaded and unloaded by Triton's clients."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException

from tests.processes import free_port, running
from tests.services.model_server.process import command, eventually

NAMES = ("half", "three")


@pytest.fixture
def config_file(exported: dict[float, Path], tmp_path: Path) -> Path:
    """A config of two models."""
    models = ""
    for name, source in zip(NAMES, (0.5, 3.0), strict=True):
        shutil.copytree(exported[source], tmp_path / name / "1")
        models += f'config {{ name: "{name}" base_path: "{name}" model_platform: "tensorflow" }} '
    path = tmp_path / "models.config"
    path.write_text(f"model_config_list {{ {models} }}")
    return path


@pytest.fixture
def client(config_file: Path) -> Iterator[triton.InferenceServerClient]:
    """A client of a server that has loaded the first of them."""
    port = free_port()
    flags = (
        f"--port={port}",
        f"--model_config_file={config_file}",
        "--model_control_mode=explicit",
        "--load_model=half",
    )
    with running(*command(*flags)):
        client = triton.InferenceServerClient(f"localhost:{port}")
        assert eventually(lambda: is_ready(client))
        yield client
        client.close()


def is_ready(client: Any) -> bool:
    try:
        return bool(client.is_server_ready())
    except InferenceServerException:
        return False


def predict(client: Any, name: str) -> float:
    tensor = triton.InferInput("x", [1, 1], "FP32")
    tensor.set_data_from_numpy(np.array([[2]], np.float32))
    return float(client.infer(name, [tensor]).as_numpy("y").item())


def states(client: Any) -> dict[str, str]:
    index = client.get_model_repository_index()
    return {model.name: model.state for model in index.models}


def test_tritons_client_loads_and_unloads(client: Any) -> None:
    assert "model_repository" in client.get_server_metadata().extensions
    assert states(client) == {"half": "READY", "three": "UNAVAILABLE"}
    assert predict(client, "half") == 3
    with pytest.raises(InferenceServerException, match="not found"):
        predict(client, "three")
    client.load_model("three")
    assert predict(client, "three") == 8
    client.unload_model("half")
    assert states(client) == {"half": "UNAVAILABLE", "three": "READY"}
    assert client.is_server_ready()
    with pytest.raises(InferenceServerException, match="not found"):
        predict(client, "half")
    with pytest.raises(InferenceServerException, match="'other': it is not configured"):
        client.load_model("other")
    with pytest.raises(InferenceServerException, match=r"parameters \['config'\]"):
        client.load_model("half", config="{}")
