"""Streams that stay open never take the threads of requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.model_server.config.model_config import single_model
from services.model_server.grpc_api.health import MAX_WATCHES
from services.model_server.grpc_api.options import GrpcOptions
from services.model_server.grpc_api.server import GrpcServer
from services.model_server.inference.data_plane import DataPlane
from services.model_server.inference.metrics import Metrics
from services.model_server.models.manager import ModelManager
from services.model_server.models.server_core import ServerCore
from tests.processes import wait_until
from tests.transport import TRANSPORT

REQUEST = health_pb2.HealthCheckRequest()
THREADS = 2


@pytest.fixture
def channel(ports: tuple[int, int]) -> Iterator[grpc.Channel]:
    models = single_model("a", "unused")
    manager = ModelManager(models, lambda _, path: None)
    core = ServerCore(manager, models, poll_wait_seconds=0)
    options = GrpcOptions(ports[0], max_threads=THREADS, transport=TRANSPORT)
    server = GrpcServer(core, DataPlane(manager, "GRPC", Metrics()), options, grace_seconds=20)
    server.start()
    with grpc.insecure_channel(f"localhost:{ports[0]}") as channel:
        yield channel
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        stopping.join(10)
        assert not stopping.is_alive(), "an open stream keeps the server from stopping"


def check(channel: grpc.Channel) -> int:
    return int(health_pb2_grpc.HealthStub(channel).Check(REQUEST, timeout=10).status)


def test_open_watches_leave_the_threads_to_requests(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    watches = [stub.Watch(REQUEST) for _ in range(MAX_WATCHES)]
    for watch in watches:
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
    with pytest.raises(grpc.RpcError) as caught:
        next(stub.Watch(REQUEST))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert check(channel) == health_pb2.HealthCheckResponse.NOT_SERVING
    watches[0].cancel()

    def is_free() -> bool:
        try:
            return bool(next(stub.Watch(REQUEST)))
        except grpc.RpcError:
            return False

    wait_until(is_free, 10, "a place is free again")


def test_many_watches_that_begin_and_end_at_once_leave_nothing(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)

    def open_and_end(_: int) -> None:
        stub.Watch(REQUEST).cancel()
        watch = stub.Watch(REQUEST, timeout=0.01)
        with suppress(grpc.RpcError):
            next(watch)
        watch.cancel()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_and_end, range(200)))
    assert check(channel) == health_pb2.HealthCheckResponse.NOT_SERVING


def test_idle_reflection_streams_leave_the_threads_to_requests(channel: grpc.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    end = threading.Event()

    def ask_and_wait() -> Iterator[reflection_pb2.ServerReflectionRequest]:
        yield reflection_pb2.ServerReflectionRequest(list_services="*")
        end.wait(30)

    streams = [stub.ServerReflectionInfo(ask_and_wait()) for _ in range(20)]
    codes = []
    for stream in streams:
        try:
            next(stream)
        except grpc.RpcError as error:
            codes.append(error.code())
    assert codes == [grpc.StatusCode.RESOURCE_EXHAUSTED] * 16
    assert check(channel) == health_pb2.HealthCheckResponse.NOT_SERVING
    end.set()
