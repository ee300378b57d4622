"""The health service follows the models."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.model_server.config.model_config import single_model
from services.model_server.grpc_api.health import SERVICES
from services.model_server.grpc_api.options import GrpcOptions
from services.model_server.grpc_api.server import GrpcServer
from services.model_server.inference.data_plane import DataPlane
from services.model_server.inference.metrics import Metrics
from services.model_server.models.manager import ModelManager
from services.model_server.models.server_core import ServerCore
from tests.transport import TRANSPORT

Status = health_pb2.HealthCheckResponse


class FakeServable:
    def close(self) -> None:
        pass


def test_every_service_follows_the_models(ports: tuple[int, int]) -> None:
    models = [*single_model("a", "unused"), *single_model("b", "unused")]
    manager = ModelManager(models, lambda _, path: FakeServable())
    core = ServerCore(manager, models, poll_wait_seconds=0)
    inference = DataPlane(manager, "GRPC", Metrics())
    options = GrpcOptions(ports[0], transport=TRANSPORT)
    server = GrpcServer(core, inference, options, grace_seconds=1)
    server.start()
    with grpc.insecure_channel(f"localhost:{ports[0]}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)

        def statuses() -> set[int]:
            requests = [health_pb2.HealthCheckRequest(service=service) for service in SERVICES]
            return {stub.Check(request, timeout=10).status for request in requests}

        assert statuses() == {Status.NOT_SERVING}
        manager.set_aspired_versions("a", {1: Path("one")})
        assert statuses() == {Status.NOT_SERVING}
        manager.set_aspired_versions("b", {1: Path("one")})
        assert statuses() == {Status.SERVING}
        manager.set_aspired_versions("b", {})
        assert statuses() == {Status.NOT_SERVING}
    server.stop()


def test_the_names_are_tensorflow_servings() -> None:
    assert {"", "PredictionService", "ModelService"} < set(SERVICES)


def test_an_unknown_service_is_not_found(served: tuple[object, grpc.Channel, str]) -> None:
    stub = health_pb2_grpc.HealthStub(served[1])
    with pytest.raises(grpc.RpcError) as caught:
        stub.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=10)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
