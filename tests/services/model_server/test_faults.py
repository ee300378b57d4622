"""What must not bring the server down, lose a request or keep memory."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
import requests

from services.model_server.batching.batched_servable import BatchingServable
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
from services.serving_api.protos import predict_pb2, prediction_service_pb2_grpc
from tests.services.model_server.doubler import (
    SECONDS,
    Doubler,
    batched,
    wait_for,
    waiting_rows,
)
from tests.services.model_server.process import Server, State, eventually
from tests.transport import TRANSPORT

Publish = Callable[..., Path]
MakeRequest = Callable[..., predict_pb2.PredictRequest]
SWAPS = 20
CYCLES = 100
CONNECTIONS = 10_000


def test_twenty_swaps_under_load_lose_no_request(
    server: Server, publish: Publish, base_path: Path, make_request: MakeRequest
) -> None:
    publish(1)
    assert eventually(server.is_serving)
    request = make_request(x=np.ones(1, np.float32))
    answered: list[int] = []
    failures: list[object] = []
    stopping = threading.Event()

    def ask() -> None:
        while not stopping.is_set():
            try:
                response = server.predict(request, timeout=30)
                answered.append(response.model_spec.version.value)
                by_rest = requests.post(f"{server.url}:predict", '{"instances": [1]}', timeout=30)
                if by_rest.status_code != 200:
                    failures.append(by_rest.text)
            except (grpc.RpcError, requests.RequestException) as error:
                failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for version in range(2, SWAPS + 2):
            publish(version, 0.5 if version % 2 else 3.0)
            assert eventually(lambda v=version: server.states().get(v) == State.AVAILABLE)
            shutil.rmtree(base_path / str(version - 1))
    finally:
        stopping.set()
        thread.join()
    assert failures == []
    assert answered == sorted(answered)
    assert len(set(answered)) > SWAPS // 2


def test_a_model_directory_removed_and_returned(
    server: Server, publish: Publish, base_path: Path
) -> None:
    publish(1)
    assert eventually(server.is_serving)
    away = base_path.with_name("away")
    base_path.rename(away)
    time.sleep(0.5)
    assert server.states() == {1: State.AVAILABLE}
    away.rename(base_path)
    shutil.rmtree(base_path / "1")
    assert eventually(lambda: server.states() == {1: State.END})
    assert not server.is_serving()
    publish(1)
    assert eventually(server.is_serving)


def test_clients_that_hang_up(server: Server, publish: Publish, make_request: MakeRequest) -> None:
    publish(1)
    assert eventually(server.is_serving)
    slow = make_request("count", steps=np.array([100_000], np.int64))
    calls = [server.predict.future(slow, timeout=30) for _ in range(4)]
    time.sleep(0.2)
    for call in calls:
        call.cancel()
    port = int(server.url.split(":")[2].split("/")[0])
    for promised in (b"", b"POST /v1/models/half_plus_two:predict HTTP/1.1\r\n", b"POST /v1/"):
        with socket.create_connection(("localhost", port)) as connection:
            connection.sendall(promised)
    with socket.create_connection(("localhost", port)) as connection:
        head = b"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nHost: a\r\n"
        connection.sendall(head + b"Content-Length: 1000000\r\n\r\n{")
    assert server.predict(make_request(x=np.ones(1, np.float32)), timeout=30)
    assert requests.get(server.url, timeout=30).status_code == 200
    assert "request crashed" not in server.events()


@pytest.fixture
def held(ports: tuple[int, int]) -> Iterator[tuple[Doubler, BatchingServable]]:
    """A batched model over both shells, which is held while it runs."""
    doubler = Doubler()
    metrics = Metrics()
    servable = batched(doubler, metrics.batching)
    models = single_model("half_plus_two", "unused")
    manager = ModelManager(models, lambda _, path: servable)
    manager.set_aspired_versions("half_plus_two", {1: Path()})
    core = ServerCore(manager, models, poll_wait_seconds=0)
    rest_options = RestOptions(ports[1], timeout_seconds=1, metrics_path="/metrics")
    servers = (
        GrpcServer(
            core, DataPlane(manager, "GRPC", metrics), GrpcOptions(ports[0], transport=TRANSPORT), 1
        ),
        RestServer(manager, DataPlane(manager, "REST", metrics), rest_options, 1),
    )
    for server in servers:
        server.start()
    doubler.may_go_on.clear()
    yield doubler, servable
    doubler.may_go_on.set()
    for server in servers:
        server.stop()


def test_grpc_clients_that_leave_the_queue_do_not_run(
    held: tuple[Doubler, BatchingServable], ports: tuple[int, int], make_request: MakeRequest
) -> None:
    doubler, servable = held
    request = make_request("double", x=np.ones(1, np.float32))
    with grpc.insecure_channel(f"localhost:{ports[0]}") as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        running = predict.future(request, timeout=SECONDS)
        assert doubler.running.acquire(timeout=SECONDS)
        hangs_up = predict.future(request)
        late = predict.future(request, timeout=1)
        wait_for(lambda: waiting_rows(servable) == 2)
        hangs_up.cancel()
        assert late.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        wait_for(lambda: waiting_rows(servable) == 0)
        doubler.may_go_on.set()
        assert list(running.result().outputs["y"].float_val) == [2]
    assert doubler.batches == [1]


def test_http_clients_that_leave_the_queue_do_not_run(
    held: tuple[Doubler, BatchingServable], ports: tuple[int, int]
) -> None:
    doubler, servable = held
    body = b'{"signature_name": "double", "instances": [1]}'
    head = f"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    address = "localhost", ports[1]
    with (
        socket.create_connection(address) as running,
        socket.create_connection(address) as late,
        socket.create_connection(address) as hangs_up,
    ):
        running.sendall(head.encode() + body)
        assert doubler.running.acquire(timeout=SECONDS)
        for connection in (hangs_up, late):
            connection.sendall(head.encode() + body)
        wait_for(lambda: waiting_rows(servable) == 2)
        page = requests.get(f"http://localhost:{ports[1]}/metrics", timeout=SECONDS).text
        assert 'lectern_batch_queue_depth{model="doubler",version="1"} 2.0' in page
        hangs_up.close()
        wait_for(lambda: waiting_rows(servable) == 1)
        assert late.recv(12) == b"HTTP/1.1 504"
        wait_for(lambda: waiting_rows(servable) == 0)
    doubler.may_go_on.set()
    assert doubler.batches == [1]


def test_killed_and_started_again_on_the_same_ports(
    server: Server, publish: Publish, base_path: Path, ports: tuple[int, int], tmp_path: Path
) -> None:
    publish(1)
    assert eventually(server.is_serving)
    server.process.kill()
    server.process.wait()
    again = Server(base_path, ports, tmp_path / "second log")
    try:
        assert eventually(again.is_serving)
        assert again.states() == {1: State.AVAILABLE}
    finally:
        again.channel.close()
        again.process.kill()
        again.process.wait()


def test_ten_thousand_connections_one_after_another(served: Any) -> None:
    port = int(served.url.rsplit(":", 1)[1])
    question = b"GET /v1/models/half_plus_two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    before = psutil.Process().num_fds()
    for _ in range(CONNECTIONS):
        with socket.create_connection(("localhost", port)) as connection:
            connection.sendall(question)
            assert connection.recv(12) == b"HTTP/1.1 200"
    assert eventually(lambda: psutil.Process().num_fds() <= before + 2, 10)


def test_a_hundred_loads_and_unloads_return_their_memory(exported: dict[float, Path]) -> None:
    manager = ModelManager(single_model("m", "unused"), lambda _, path: load(path))

    def load_and_unload(count: int) -> float:
        manager.set_aspired_versions("m", dict.fromkeys(range(count), exported[0.5]))
        manager.set_aspired_versions("m", {})
        return psutil.Process().memory_info().rss / 2**20

    settled = load_and_unload(CYCLES // 4)
    grown = max(load_and_unload(CYCLES // 4) for _ in range(4)) - settled
    assert grown < 20, f"{grown:.0f} MiB more after {CYCLES} loads and unloads"


@pytest.mark.parametrize("form", ["missing", "extra", "mistyped", "misshapen"])
def test_bad_inputs_leave_the_server_well(
    served: Any, make_request: MakeRequest, form: str
) -> None:
    predict = prediction_service_pb2_grpc.PredictionServiceStub(served.channel).Predict
    x = np.ones((1, 2), np.float32)
    bad = {
        "missing": make_request("matmul"),
        "extra": make_request("matmul", x=x, y=x),
        "mistyped": make_request("matmul", x=x.astype(np.int32)),
        "misshapen": make_request("matmul", x=np.ones((1, 3), np.float32)),
    }
    with pytest.raises(grpc.RpcError) as caught:
        predict(bad[form], timeout=30)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert predict(make_request("matmul", x=x), timeout=30).outputs["y"].float_val[0] == 2
