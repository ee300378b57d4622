"""The server under contract: by default ours, started here with the models of models.py.

For another one, say a TensorFlow Serving container, write the models with
`python -m tests.contract.models FOLDER`, serve FOLDER/models.config with
`--allow_version_labels_for_unavailable_models=true --rest_api_port=8501
--monitoring_config_file=…`, and set LECTERN_CONTRACT_GRPC and LECTERN_CONTRACT_REST to its
`host:port`. What only ours promises (the fixture `ours`) is then skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from tests.contract.models import write_models
from tests.processes import free_port, wait_until
from tests.transport import TRANSPORT

ROOT = Path(__file__).parent.parent.parent
AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE


class Contract(NamedTuple):
    """Where the server under contract is, and whether it is ours."""

    grpc: str
    rest: str
    is_ours: bool


@pytest.fixture(scope="session")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contract]:
    given = os.environ.get("LECTERN_CONTRACT_GRPC"), os.environ.get("LECTERN_CONTRACT_REST")
    if all(given):
        yield Contract(*given, is_ours=False)
        return
    folder = tmp_path_factory.mktemp("contract")
    monitoring = folder / "monitoring.config"
    monitoring.write_text("prometheus_config { enable: true }")
    ports = free_port(), free_port()
    command = [
        sys.executable,
        "-m",
        "services.model_server",
        f"--port={ports[0]}",
        f"--rest_api_port={ports[1]}",
        f"--model_config_file={write_models(folder)}",
        f"--monitoring_config_file={monitoring}",
        "--allow_version_labels_for_unavailable_models=true",
        "--rest_api_enable_cors_support=true",
        f"--grpc_transport={TRANSPORT}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, cwd=ROOT)
    contract = Contract(f"localhost:{ports[0]}", f"localhost:{ports[1]}", is_ours=True)
    try:
        _wait_until_available(contract)
        yield contract
    finally:
        process.terminate()
        assert process.wait(30) == 0, (folder / "log").read_text()


def _wait_until_available(contract: Contract) -> None:
    with grpc.insecure_channel(contract.grpc) as channel:
        get_status = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus

        def is_available(name: str) -> bool:
            request = get_model_status_pb2.GetModelStatusRequest()
            request.model_spec.name = name
            try:
                statuses = get_status(request, wait_for_ready=True, timeout=60).model_version_status
            except grpc.RpcError:
                return False
            return all(status.state == AVAILABLE for status in statuses)

        for name in ("half_plus_two", "half_plus_two_tf2"):
            wait_until(lambda name=name: is_available(name), 120, f"{name} is available")


@pytest.fixture(scope="session")
def channel(contract: Contract) -> Iterator[grpc.Channel]:
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(contract.grpc, options=unlimited) as channel:
        yield channel


@pytest.fixture(scope="session")
def prediction(channel: grpc.Channel) -> prediction_service_pb2_grpc.PredictionServiceStub:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="session")
def models(channel: grpc.Channel) -> model_service_pb2_grpc.ModelServiceStub:
    return model_service_pb2_grpc.ModelServiceStub(channel)


@pytest.fixture(scope="session")
def url(contract: Contract) -> str:
    return f"http://{contract.rest}/v1/models"


@pytest.fixture
def ours(contract: Contract) -> None:
    """What only our server promises."""
    if not contract.is_ours:
        pytest.skip("a promise of Lectern's own server")
