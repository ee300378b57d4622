"""What pygrpc-native refuses, and where its server differs from grpcio's."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import grpc
import pytest

from services.model_server.grpc_api.handlers import MODEL_SERVICE
from services.model_server.grpc_api.options import (
    GRPCIO,
    NATIVE,
    TRANSPORTS,
    ChannelArguments,
    GrpcOptions,
)
from services.model_server.grpc_api.server import GrpcServer
from services.model_server.grpc_api.transport import make_server
from services.model_server.inference.data_plane import DataPlane
from services.model_server.inference.metrics import Metrics
from services.model_server.models.manager import ModelManager
from services.model_server.models.server_core import ServerCore
from services.serving_api.protos import get_model_status_pb2
from services.serving_api.text_proto import ConfigError

GET_STATUS = f"/{MODEL_SERVICE.full_name}/GetModelStatus"
REQUEST = get_model_status_pb2.GetModelStatusRequest()
MISSING_SPEC = grpc.StatusCode.INVALID_ARGUMENT
THREADS = 2

on_each_transport = pytest.mark.parametrize("transport", TRANSPORTS)


@contextmanager
def serving(port: int, transport: str, **arguments: int) -> Iterator[None]:
    manager = ModelManager([], lambda _, path: None)
    core = ServerCore(manager, [], poll_wait_seconds=0)
    channel_arguments: ChannelArguments = {f"grpc.{name}": arguments[name] for name in arguments}
    options = GrpcOptions(
        port, max_threads=THREADS, channel_arguments=channel_arguments, transport=transport
    )
    server = GrpcServer(core, DataPlane(manager, "GRPC", Metrics()), options, grace_seconds=1)
    server.start()
    yield
    server.stop()


def code(
    port: int,
    metadata: tuple[tuple[str, str], ...] = (),
    compression: grpc.Compression | None = None,
) -> grpc.StatusCode:
    """Return the status of a call without a model, which is INVALID_ARGUMENT if it arrives."""
    with grpc.insecure_channel(f"localhost:{port}", compression=compression) as channel:
        call = channel.unary_unary(GET_STATUS).future(
            REQUEST.SerializeToString(), timeout=5, metadata=metadata
        )
        return call.code()


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    )


@contextmanager
def begun_calls(port: int, length: int, count: int = 1) -> Iterator[socket.socket]:
    """Have calls whose messages are announced, and never come (RFC 9113, RFC 7541)."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": GET_STATUS,
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    block = b"".join(
        b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )
    with socket.create_connection(("localhost", port), timeout=5) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
        for stream in range(1, 2 * count, 2):
            message = frame(0, 0, stream, b"\0" + length.to_bytes(4, "big"))
            client.sendall(frame(1, 4, stream, block) + message)
        yield client


def has_headers(client: socket.socket, seconds: float) -> bool:
    """Tell whether an answer's headers come within that time."""
    client.settimeout(seconds)
    received = b""
    try:
        while chunk := client.recv(4096):
            received += chunk
            rest = received
            while len(rest) >= 9:
                if rest[3] == 1:
                    return True
                rest = rest[9 + int.from_bytes(rest[:3], "big") :]
    except TimeoutError:
        pass
    return False


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygrpc_native", None)
    with pytest.raises(ConfigError, match=r"missing: pip install 'lectern\[native\]'"):
        make_server(GrpcOptions(transport=NATIVE))


def test_a_channel_argument_that_it_does_not_have_is_named() -> None:
    options = GrpcOptions(transport=NATIVE, channel_arguments={"grpc.max_connection_age_ms": 1000})
    with pytest.raises(ConfigError, match=r"'grpc\.max_connection_age_ms' in --grpc_channel_arg"):
        make_server(options)


@on_each_transport
def test_messages_that_do_not_arrive(ports: tuple[int, int], transport: str) -> None:
    """They hold a thread each of grpcio's server, and none of pygrpc-native's."""
    with serving(ports[0], transport), ExitStack() as clients:
        assert code(ports[0]) == MISSING_SPEC
        for _ in range(2 * THREADS):
            clients.enter_context(begun_calls(ports[0], length=100))
        expected = MISSING_SPEC if transport == NATIVE else grpc.StatusCode.DEADLINE_EXCEEDED
        assert code(ports[0]) == expected


@on_each_transport
def test_a_limit_on_messages(ports: tuple[int, int], transport: str) -> None:
    """Grpcio refuses a message as it is announced, pygrpc-native when it has arrived."""
    with (
        serving(ports[0], transport, max_receive_message_length=1000),
        begun_calls(ports[0], length=1001) as client,
    ):
        assert has_headers(client, 2) == (transport == GRPCIO)


@on_each_transport
def test_metadata_of_more_than_16_kib(ports: tuple[int, int], transport: str) -> None:
    with serving(ports[0], transport):
        received = code(ports[0], metadata=(("a", "x" * 40_000),))
    exhausted, unknown = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNKNOWN
    assert received == (unknown if transport == NATIVE else exhausted)


@on_each_transport
@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_requests(
    ports: tuple[int, int], transport: str, compression: grpc.Compression
) -> None:
    with serving(ports[0], transport):
        received = code(ports[0], compression=compression)
    is_refused = transport == NATIVE and compression == grpc.Compression.Deflate
    assert received == (grpc.StatusCode.UNIMPLEMENTED if is_refused else MISSING_SPEC)


def test_requests_of_one_connection(ports: tuple[int, int]) -> None:
    """pygrpc-native closes a connection that ignores the limit; grpcio has none."""
    with serving(ports[0], NATIVE):
        with pytest.raises(ConnectionError), begun_calls(ports[0], length=100, count=100_000):
            pass
        assert code(ports[0]) == MISSING_SPEC
