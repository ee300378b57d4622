"""ModelService over a real channel, driven by the official stubs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from services.model_server.config.model_config import single_model
from services.model_server.errors import ServingError
from services.model_server.grpc_api.options import GrpcOptions
from services.model_server.grpc_api.server import GrpcServer
from services.model_server.inference.data_plane import DataPlane
from services.model_server.inference.metrics import Metrics
from services.model_server.models.manager import ModelManager
from services.model_server.models.server_core import ServerCore
from services.model_server.servables.servable import ServableId
from services.serving_api.protos import (
    error_codes_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)
from tests.transport import TRANSPORT

LOADS = "/tensorflow/cc/saved_model/load_attempt_count"
State = get_model_status_pb2.ModelVersionStatus


@pytest.fixture(scope="module")
def stub(served: Any) -> model_service_pb2_grpc.ModelServiceStub:
    return model_service_pb2_grpc.ModelServiceStub(served.channel)


def status_request(version: int | None = None, **spec: Any) -> object:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = spec.get("name", "half_plus_two")
    request.model_spec.version_label = spec.get("label", "")
    if version is not None:
        request.model_spec.version.value = version
    return request


@pytest.mark.parametrize(
    "request_message", [status_request(), status_request(5), status_request(label="ignored")]
)
def test_status(stub: model_service_pb2_grpc.ModelServiceStub, request_message: object) -> None:
    [status] = stub.GetModelStatus(request_message, timeout=10).model_version_status
    assert (status.version, status.state) == (5, State.AVAILABLE)
    assert status.status.error_code == error_codes_pb2.OK


@pytest.mark.parametrize(
    ("request_message", "code", "message"),
    [
        (
            status_request(name="nobody"),
            grpc.StatusCode.NOT_FOUND,
            "Could not find any versions of model nobody",
        ),
        (
            status_request(7),
            grpc.StatusCode.NOT_FOUND,
            "Could not find version 7 of model half_plus_two",
        ),
        (
            get_model_status_pb2.GetModelStatusRequest(),
            grpc.StatusCode.INVALID_ARGUMENT,
            "Missing ModelSpec",
        ),
    ],
)
def test_no_status(
    stub: model_service_pb2_grpc.ModelServiceStub,
    request_message: object,
    code: grpc.StatusCode,
    message: str,
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetModelStatus(request_message, timeout=10)
    assert (caught.value.code(), caught.value.details()) == (code, message)


def test_only_a_list_of_models_can_be_reloaded(
    stub: model_service_pb2_grpc.ModelServiceStub,
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(), timeout=10)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "Only ModelConfigList is currently supported" in caught.value.details()


def test_a_wrong_list_of_models_is_refused(
    stub: model_service_pb2_grpc.ModelServiceStub,
) -> None:
    request = model_management_pb2.ReloadConfigRequest()
    for _ in range(2):
        request.config.model_config_list.config.add(
            name="m", base_path="/m", model_platform="tensorflow"
        )
    with pytest.raises(grpc.RpcError) as caught:
        stub.HandleReloadConfigRequest(request, timeout=10)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "Illegal to list model m multiple times in config list" in caught.value.details()


def load(_: ServableId, path: Path) -> Any:
    if path.parent.name == "bad":
        raise ServingError(error_codes_pb2.DATA_LOSS, "it is broken")
    return SimpleNamespace(close=lambda: None)


def test_a_reload_answers_when_the_new_models_are_available(
    ports: tuple[int, int], tmp_path: Path
) -> None:
    for name in ("a", "b", "c", "bad"):
        (tmp_path / name / "1").mkdir(parents=True)
    models = single_model("a", str(tmp_path / "a"))
    metrics = Metrics()

    def load_counted(servable_id: ServableId, path: Path) -> Any:
        with metrics.loads.load(path):
            return load(servable_id, path)

    manager = ModelManager(models, load_counted)
    core = ServerCore(manager, models, poll_wait_seconds=0.05)
    inference = DataPlane(manager, "GRPC", metrics)
    options = GrpcOptions(ports[0], transport=TRANSPORT)
    server = GrpcServer(core, inference, options, grace_seconds=1)
    server.start()
    core.start()

    def reload(*names: str) -> model_management_pb2.ReloadConfigRequest:
        request = model_management_pb2.ReloadConfigRequest()
        for name in names:
            request.config.model_config_list.config.add(
                name=name, base_path=str(tmp_path / name), model_platform="tensorflow"
            )
        return request

    with grpc.insecure_channel(f"localhost:{ports[0]}") as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        response = stub.HandleReloadConfigRequest(reload("a", "b"), timeout=10)
        assert response.status.error_code == error_codes_pb2.OK
        [status] = stub.GetModelStatus(status_request(name="b"), timeout=10).model_version_status
        assert status.state == State.AVAILABLE
        request = reload("a", "b", "c")
        request.metric_names.extend([LOADS, "/tensorflow/serving/no_such_metric"])
        response = stub.HandleReloadConfigRequest(request)  # A call may come without a deadline.
        increases = [(metric.name, metric.int64_value_increase) for metric in response.metric]
        assert increases == [(LOADS, 1), ("/tensorflow/serving/no_such_metric", 0)]
        with pytest.raises(grpc.RpcError) as caught:
            stub.HandleReloadConfigRequest(reload("b", "bad"), timeout=10)
        assert caught.value.code() == grpc.StatusCode.UNKNOWN
        assert "{name: bad version: 1} due to error: it is broken" in caught.value.details()
        assert manager.names() == ["b", "bad"]
    server.stop()
    core.stop()
