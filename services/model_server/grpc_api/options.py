"""How the gRPC server listens, as the command line says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import grpc

from services.model_server.config.config_protos import SSLConfig
from services.serving_api.text_proto import ConfigError, read_text_proto

ChannelArguments = dict[str, int | str]

GRPCIO, NATIVE = TRANSPORTS = ("grpcio", "native")
"""The libraries that can serve gRPC (see `transport`)."""


@dataclass(frozen=True)
class GrpcOptions:
    """Where and how to listen.

    Attributes:
        port: on all addresses; 0 for none.
        socket_path: of a UNIX socket, never encrypted; empty for none.
        max_threads: that work on requests.
        channel_arguments: of gRPC's core, like grpc.max_connection_age_ms.
        credentials: for TLS on the port; None for plain text.
        enable_profiler: serve TensorFlow's ProfilerService too.
        transport: the library, one of TRANSPORTS.
    """

    port: int = 0
    socket_path: str = ""
    max_threads: int = 8
    channel_arguments: ChannelArguments = field(default_factory=dict)
    credentials: grpc.ServerCredentials | None = None
    enable_profiler: bool = True
    transport: str = GRPCIO


def parse_channel_arguments(text: str) -> ChannelArguments:
    """Reads `key=value,key=value`; whole numbers become int, as TensorFlow Serving does it.

    Raises:
        ConfigError: a part has no `=`.
    """
    arguments: ChannelArguments = {}
    for part in filter(None, text.split(",")):
        key, separator, value = part.partition("=")
        if not separator:
            raise ConfigError(f"--grpc_channel_arguments holds {part!r}, expected key=value")
        arguments[key] = int(value) if value.lstrip("-").isdecimal() else value
    return arguments


def read_credentials(path: Path) -> grpc.ServerCredentials:
    """Reads an `SSLConfig`: the PEM texts of a key, a certificate and, for clients' ones, a CA.

    Raises:
        ConfigError: the file is no SSLConfig, or has no key or certificate.
    """
    config = read_text_proto(path, SSLConfig())
    for name in ("server_key", "server_cert"):
        if not getattr(config, name):
            raise ConfigError(f"{path} has no {name}: add one, as PEM text")
    if config.client_verify and not config.custom_ca:
        raise ConfigError(f"{path} has client_verify without custom_ca: add one, as PEM text")
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )
