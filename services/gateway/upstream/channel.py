"""gRPC channel to the model server: load balancing, reconnection, TLS."""

from __future__ import annotations

import json
from pathlib import Path

import grpc

from services.gateway.settings import Settings, SetupError

_SERVICE_CONFIG: dict[str, list[object]] = {
    # Calls go to all addresses that the name resolves to.
    "loadBalancingConfig": [{"round_robin": {}}],
}
"""Source: https://github.com/grpc/grpc-proto/blob/master/grpc/service_config/service_config.proto

There is no retry policy: gRPC itself repeats only calls that no server has begun to handle. A call
that was sent and lost may have crashed the server; repeated, it could crash the next one.
"""

_CHANNEL_OPTIONS = [
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A restarted model server is found within a second; gRPC's default is up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A lost node does not close its connections. They end when bytes stay unacknowledged for this
    # time (gRPC also sets TCP_USER_TIMEOUT to it) or a ping is not answered. Pings are sent only
    # while calls run, since TensorFlow Serving closes connections with more than two other pings.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    # A replaced pod has another address; gRPC by default resolves names every half a minute.
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
    # A proxy in the environment (http_proxy) is meant for the web, not for the model server.
    ("grpc.enable_http_proxy", 0),
]
"""Source: https://github.com/grpc/grpc/blob/master/doc/keepalive.md and grpc_types.h beside it."""


def open_channel(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
    """Returns a channel, which connects when it is first used.

    Args:
        address: `host:port`, or any name that gRPC resolves.
        credentials: TLS credentials; None for an unencrypted connection.
    """
    if credentials:
        return grpc.secure_channel(address, credentials, options=_CHANNEL_OPTIONS)
    return grpc.insecure_channel(address, options=_CHANNEL_OPTIONS)


def read_credentials(settings: Settings) -> grpc.ChannelCredentials | None:
    """Returns the TLS credentials for the model server; None if the settings name no files.

    Raises:
        SetupError: a file cannot be read, or only some of the required files are named.
    """
    authority, certificate, key = (
        settings.model_server_ca,
        settings.model_server_certificate,
        settings.model_server_key,
    )
    if bool(certificate) != bool(key) or (certificate and not authority):
        raise SetupError(
            "a client certificate needs LECTERN_MODEL_SERVER_CERTIFICATE, LECTERN_MODEL_SERVER_KEY "
            "and LECTERN_MODEL_SERVER_CA together"
        )
    if not authority:
        return None
    return grpc.ssl_channel_credentials(_read(authority), _read(key), _read(certificate))


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read ({error.strerror})") from error
