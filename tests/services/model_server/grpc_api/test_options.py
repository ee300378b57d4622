"""Channel arguments, TLS, mutual TLS and the UNIX socket, over real connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
import trustme
from google.protobuf import text_format
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.model_server.config.config_protos import SSLConfig
from services.model_server.grpc_api.options import (
    GrpcOptions,
    parse_channel_arguments,
    read_credentials,
)
from services.model_server.grpc_api.server import GrpcServer
from services.model_server.inference.data_plane import DataPlane
from services.model_server.inference.metrics import Metrics
from services.model_server.models.manager import ModelManager
from services.model_server.models.server_core import ServerCore
from services.serving_api.text_proto import ConfigError
from tests.transport import TRANSPORT, grpcio_alone

WriteConfig = Callable[..., Path]


@contextmanager
def serving(options: GrpcOptions) -> Iterator[None]:
    manager = ModelManager([], lambda _, path: None)
    core = ServerCore(manager, [], poll_wait_seconds=0)
    server = GrpcServer(core, DataPlane(manager, "GRPC", Metrics()), options, grace_seconds=1)
    server.start()
    yield
    server.stop()


def answers(channel: grpc.Channel) -> bool:
    with channel:
        stub = health_pb2_grpc.HealthStub(channel)
        call = stub.Check.future(health_pb2.HealthCheckRequest(), timeout=5)
        code = call.code()
    assert code in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE), call.details()
    return code == grpc.StatusCode.OK


def pem(blob: trustme.Blob) -> str:
    return blob.bytes().decode()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def write_config(tmp_path: Path, authority: trustme.CA) -> WriteConfig:
    """A function that writes an SSLConfig with a certificate for localhost."""

    def write(**fields: object) -> Path:
        issued = authority.issue_cert("localhost")
        config = SSLConfig(
            server_key=pem(issued.private_key_pem),
            server_cert="".join(map(pem, issued.cert_chain_pems)),
            **fields,
        )
        path = tmp_path / "ssl.config"
        path.write_text(text_format.MessageToString(config))
        return path

    return write


@grpcio_alone
def test_tls(write_config: WriteConfig, authority: trustme.CA, ports: tuple[int, int]) -> None:
    address = f"localhost:{ports[0]}"
    with serving(GrpcOptions(ports[0], credentials=read_credentials(write_config()))):
        trusting = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        assert answers(grpc.secure_channel(address, trusting))
        stranger = grpc.ssl_channel_credentials(trustme.CA().cert_pem.bytes())
        assert not answers(grpc.secure_channel(address, stranger))
        assert not answers(grpc.insecure_channel(address))


@grpcio_alone
def test_mutual_tls(
    write_config: WriteConfig, authority: trustme.CA, ports: tuple[int, int]
) -> None:
    config = write_config(custom_ca=pem(authority.cert_pem), client_verify=True)
    address = f"localhost:{ports[0]}"
    client = authority.issue_cert("client@example.org")
    with serving(GrpcOptions(ports[0], credentials=read_credentials(config))):
        known = grpc.ssl_channel_credentials(
            authority.cert_pem.bytes(),
            client.private_key_pem.bytes(),
            client.cert_chain_pems[0].bytes(),
        )
        assert answers(grpc.secure_channel(address, known))
        unknown = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        assert not answers(grpc.secure_channel(address, unknown))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no server_key"),
        ('server_key: "k"', "has no server_cert"),
        ('server_key: "k" server_cert: "c" client_verify: true', "without custom_ca"),
        ("nonsense", "Error parsing text-format tensorflow.serving.SSLConfig"),
    ],
)
def test_an_incomplete_config_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "ssl.config"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_credentials(path)


def test_a_unix_socket_alone(tmp_path: Path) -> None:
    path = tmp_path / "grpc.sock"
    with serving(GrpcOptions(socket_path=str(path), transport=TRANSPORT)):
        assert answers(grpc.insecure_channel(f"unix:{path}"))


def test_channel_arguments_reach_grpc(ports: tuple[int, int]) -> None:
    arguments = parse_channel_arguments("grpc.max_receive_message_length=10,grpc.a=b")
    assert arguments == {"grpc.max_receive_message_length": 10, "grpc.a": "b"}
    with (
        serving(GrpcOptions(ports[0], channel_arguments=arguments, transport=TRANSPORT)),
        grpc.insecure_channel(f"localhost:{ports[0]}") as channel,
    ):
        stub = health_pb2_grpc.HealthStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(service="x" * 20), timeout=5)
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_channel_argument_without_a_value_is_named() -> None:
    with pytest.raises(ConfigError, match=r"holds 'grpc\.a', expected key=value"):
        parse_channel_arguments("grpc.a")


@pytest.mark.parametrize("enabled", [True, False])
def test_the_profiler_is_there_unless_switched_off(ports: tuple[int, int], enabled: bool) -> None:
    with (
        serving(GrpcOptions(ports[0], enable_profiler=enabled, transport=TRANSPORT)),
        grpc.insecure_channel(f"localhost:{ports[0]}") as channel,
    ):
        call = channel.unary_unary("/tensorflow.ProfilerService/Monitor").future(b"", timeout=10)
        assert call.code() == grpc.StatusCode.UNIMPLEMENTED
        # gRPC itself has another text for what is not there at all.
        assert (call.details() == "unimplemented.") == enabled
