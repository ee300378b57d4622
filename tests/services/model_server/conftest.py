"""Small SavedModels, and servers that serve them inside the test process."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import numpy as np
import pytest
import tensorflow as tf

from services.model_server.config.model_config import single_model
from services.model_server.grpc_api.options import GrpcOptions
from services.model_server.grpc_api.server import GrpcServer
from services.model_server.inference.data_plane import DataPlane
from services.model_server.inference.metrics import Metrics
from services.model_server.loading.loader import load
from services.model_server.models.manager import ModelManager
from services.model_server.models.server_core import ServerCore
from services.model_server.rest_api.options import RestOptions
from services.model_server.rest_api.server import RestServer
from services.serving_api.protos import predict_pb2
from services.serving_api.tensors import to_tensor_proto
from tests.services.model_server.process import Server
from tests.transport import TRANSPORT


class Scale(tf.Module):
    """TensorFlow Serving's half_plus_two, with one signature for each thing a test needs."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = tf.Variable(factor)

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, name="x")])
    def scale(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": self.factor * x + 2.0, "negative": -x}

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def matmul(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.matmul(x, tf.ones((2, 3)))}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, name="x"),
            tf.TensorSpec([], tf.float32, name="factor"),
        ]
    )
    def with_default(
        self,
        x: tf.Tensor,
        factor: tf.Tensor = tf.constant(3.0),  # noqa: B008 (a default of the signature)
    ) -> dict[str, tf.Tensor]:
        return {"y": factor * x}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def shout(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"text": tf.strings.upper(text)}

    @tf.function(input_signature=[tf.TensorSpec([1], tf.int64, name="steps")])
    def count(self, steps: tf.Tensor) -> dict[str, tf.Tensor]:
        """Take as long as the client says: some ten microseconds a step."""
        counted = tf.while_loop(
            lambda i: i < steps[0], lambda i: (i + 1,), (tf.constant(0, tf.int64),)
        )
        return {"steps": tf.reshape(counted[0], (1,))}


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Path]:
    """SavedModels whose factor is 0.5 (half_plus_two) and 3, by that factor."""
    folder = tmp_path_factory.mktemp("exported")
    for factor in (0.5, 3.0):
        module = Scale(factor)
        signatures = {
            "serving_default": module.scale,
            "matmul": module.matmul,
            "shout": module.shout,
            "with_default": module.with_default,
            "count": module.count,
        }
        tf.saved_model.save(module, str(folder / str(factor)), signatures=signatures)
    return {factor: folder / str(factor) for factor in (0.5, 3.0)}


Publish = Callable[..., Path]


@pytest.fixture
def base_path(tmp_path: Path) -> Path:
    """An empty base path of a model."""
    path = tmp_path / "half_plus_two"
    path.mkdir()
    return path


@pytest.fixture
def publish(exported: dict[float, Path], base_path: Path) -> Publish:
    """A function that puts a version into the base path, all at once."""

    def put(version: int, factor: float = 0.5, *, corrupt: bool = False) -> Path:
        copy = base_path / f"copying-{version}"
        shutil.copytree(exported[factor], copy)
        if corrupt:
            (copy / "saved_model.pb").write_bytes(b"\xff\xff")
        return copy.rename(base_path / str(version))

    return put


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def ports() -> tuple[int, int]:
    """Two free ports, for gRPC and REST."""
    return free_port(), free_port()


class Served(NamedTuple):
    """A manager that serves version 5 of half_plus_two over both shells."""

    manager: ModelManager
    channel: grpc.Channel
    url: str


@pytest.fixture(scope="session")
def served(exported: dict[float, Path]) -> Iterator[Served]:
    [config] = single_model("half_plus_two", "unused")
    config.version_labels["stable"] = 5
    manager = ModelManager([config], lambda _, path: load(path))
    manager.set_aspired_versions("half_plus_two", {5: exported[0.5]})
    grpc_port, rest_port = free_port(), free_port()
    core = ServerCore(manager, [config], poll_wait_seconds=0)
    metrics = Metrics()
    servers = (
        GrpcServer(
            core,
            DataPlane(manager, "GRPC", metrics),
            GrpcOptions(grpc_port, transport=TRANSPORT),
            grace_seconds=1,
        ),
        RestServer(manager, DataPlane(manager, "REST", metrics), RestOptions(rest_port), 1),
    )
    for server in servers:
        server.start()
    unlimited = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(f"localhost:{grpc_port}", options=unlimited) as channel:
        yield Served(manager, channel, f"http://localhost:{rest_port}")
    for server in servers:
        server.stop()
    manager.close()


MakeRequest = Callable[..., predict_pb2.PredictRequest]


@pytest.fixture
def make_request() -> MakeRequest:
    """A function that makes a PredictRequest for half_plus_two."""

    def make(
        signature_name: str = "", *, typed_fields: bool = True, **inputs: np.ndarray
    ) -> predict_pb2.PredictRequest:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "half_plus_two"
        request.model_spec.signature_name = signature_name
        for name, array in inputs.items():
            proto = to_tensor_proto(array, typed_fields=typed_fields)
            request.inputs[name].CopyFrom(proto)
        return request

    return make


@pytest.fixture
def server(base_path: Path, ports: tuple[int, int], tmp_path: Path) -> Iterator[Server]:
    """A server over an empty base path."""
    server = Server(base_path, ports, tmp_path / "log")
    yield server
    server.channel.close()
    server.process.kill()
    server.process.wait()
