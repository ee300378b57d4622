"""The model server as a process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.serving_api.protos import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)
from tests.transport import TRANSPORT

START_SECONDS = 60
State = get_model_status_pb2.ModelVersionStatus


def command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "services.model_server", *flags]


def eventually(holds: Callable[[], bool], seconds: float = START_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


class Server:
    """A running process and its stubs."""

    def __init__(self, base_path: Path, ports: tuple[int, int], log: Path) -> None:
        flags = (
            f"--port={ports[0]}",
            f"--rest_api_port={ports[1]}",
            "--model_name=half_plus_two",
            f"--model_base_path={base_path}",
            "--file_system_poll_wait_seconds=0.1",
            "--max_num_load_retries=0",
            f"--grpc_transport={TRANSPORT}",
        )
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(command(*flags), stderr=stderr)
        self.log = log
        self.url = f"http://localhost:{ports[1]}/v1/models/half_plus_two"
        # Otherwise the channel to a server started again may use the dead one's connection.
        own_connection = [("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel(f"localhost:{ports[0]}", options=own_connection)
        self.predict = prediction_service_pb2_grpc.PredictionServiceStub(self.channel).Predict
        self.get_status = model_service_pb2_grpc.ModelServiceStub(self.channel).GetModelStatus
        self.check = health_pb2_grpc.HealthStub(self.channel).Check

    def health(self) -> int:
        """Return the overall health; waits for the port to open."""
        request = health_pb2.HealthCheckRequest()
        return int(self.check(request, timeout=START_SECONDS, wait_for_ready=True).status)

    def is_serving(self) -> bool:
        return self.health() == health_pb2.HealthCheckResponse.SERVING

    def statuses(self) -> dict[int, State]:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "half_plus_two"
        response = self.get_status(request, timeout=10)
        return {status.version: status for status in response.model_version_status}

    def states(self) -> dict[int, int]:
        return {version: status.state for version, status in self.statuses().items()}

    def events(self) -> list[str]:
        lines = self.log.read_text().splitlines()
        return [json.loads(line)["event"] for line in lines if line.startswith("{")]
