"""A server whose models are loaded and unloaded by Triton's clients."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np
import pytest
import requests
from tritonclient import grpc as grpc_client
from tritonclient import http as http_client
from tritonclient.utils import InferenceServerException

from services.serving_api.protos import model_management_pb2, model_service_pb2_grpc
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


class Clients(NamedTuple):
    """Triton's clients of both transports, the URL of the second, the address of the first."""

    grpc: grpc_client.InferenceServerClient
    http: http_client.InferenceServerClient
    url: str
    address: str


@pytest.fixture
def load_model() -> str:
    return "half"


@pytest.fixture
def clients(config_file: Path, load_model: str) -> Iterator[Clients]:
    """Clients of a server that has loaded one of them, or all."""
    port, rest_port = free_port(), free_port()
    flags = (
        f"--port={port}",
        f"--rest_api_port={rest_port}",
        f"--model_config_file={config_file}",
        "--model_control_mode=explicit",
        f"--load_model={load_model}",
    )
    with running(*command(*flags)):
        by_grpc = grpc_client.InferenceServerClient(f"localhost:{port}")
        assert eventually(lambda: is_ready(by_grpc))
        by_http = http_client.InferenceServerClient(f"localhost:{rest_port}")
        yield Clients(
            by_grpc, by_http, f"http://localhost:{rest_port}/v2/repository", f"localhost:{port}"
        )
        by_http.close()
        by_grpc.close()


def is_ready(client: Any) -> bool:
    try:
        return bool(client.is_server_ready())
    except InferenceServerException:
        return False


def predict(client: Any, name: str) -> float:
    tensor = grpc_client.InferInput("x", [1, 1], "FP32")
    tensor.set_data_from_numpy(np.array([[2]], np.float32))
    return float(client.infer(name, [tensor]).as_numpy("y").item())


def states(client: Any) -> dict[str, str]:
    index = client.get_model_repository_index()
    return {model.name: model.state for model in index.models}


@pytest.mark.parametrize("load_model", ["*"])
def test_all_are_loaded_until_a_reload_names_some(clients: Clients, config_file: Path) -> None:
    client = clients.grpc
    assert states(client) == {"half": "READY", "three": "READY"}
    request = model_management_pb2.ReloadConfigRequest()
    request.config.model_config_list.config.add(
        name="renamed", base_path=str(config_file.parent / "three"), model_platform="tensorflow"
    )
    with grpc.insecure_channel(clients.address) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        stub.HandleReloadConfigRequest(request, timeout=60)
    assert predict(client, "renamed") == 8
    unloaded = {"half": "UNAVAILABLE", "three": "UNAVAILABLE"}
    assert eventually(lambda: states(client) == {**unloaded, "renamed": "READY"})
    client.load_model("half")
    assert states(client) == {"half": "READY", "three": "UNAVAILABLE", "renamed": "READY"}


def test_tritons_client_loads_and_unloads(clients: Clients) -> None:
    client = clients.grpc
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


def test_tritons_client_loads_and_unloads_over_http(clients: Clients) -> None:
    client = clients.http
    assert {each["name"]: each["state"] for each in client.get_model_repository_index()} == {
        "half": "READY",
        "three": "UNAVAILABLE",
    }
    client.load_model("three")
    assert predict(clients.grpc, "three") == 8
    client.unload_model("half")
    with pytest.raises(InferenceServerException, match="'other': it is not configured") as refused:
        client.load_model("other")
    assert refused.value.status() == "404"
    with pytest.raises(InferenceServerException, match=r"parameters \['config'\]"):
        client.load_model("half", config="{}")
    ready = requests.post(f"{clients.url}/index", json={"ready": True}, timeout=20).json()
    assert ready == [{"name": "three", "version": "1", "state": "READY", "reason": ""}]
    for body in ('{"ready": 1}', "[1]", '{"ready"'):
        assert requests.post(f"{clients.url}/index", body, timeout=20).status_code == 400
    assert requests.get(f"{clients.url}/index", timeout=20).status_code == 400
