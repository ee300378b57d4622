"""The library that serves gRPC: grpcio, or pygrpc-native, whose HTTP/2 runs outside the GIL."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent import futures
from typing import TYPE_CHECKING

import grpc

from services.model_server.grpc_api.options import GRPCIO, ChannelArguments, GrpcOptions
from services.serving_api.text_proto import ConfigError

if TYPE_CHECKING:
    import pygrpc_native

_CHANNEL_ARGUMENTS: ChannelArguments = {
    "grpc.max_send_message_length": -1,
    "grpc.max_receive_message_length": -1,
    # Otherwise two servers could share the port, each with half of the requests.
    "grpc.so_reuseport": 0,
}


def make_server(options: GrpcOptions) -> grpc.Server:
    """Returns a gRPC server without services that listens nowhere yet.

    Raises:
        ConfigError: the transport's package is missing, or it does not have a channel argument.
    """
    threads = futures.ThreadPoolExecutor(options.max_threads, thread_name_prefix="grpc")
    arguments = list((_CHANNEL_ARGUMENTS | options.channel_arguments).items())
    if options.transport == GRPCIO:
        return grpc.server(threads, options=arguments)
    return _make_native_server(threads, arguments)


def _make_native_server(
    threads: futures.ThreadPoolExecutor, arguments: list[tuple[str, int | str]]
) -> pygrpc_native.Server:
    try:
        import pygrpc_native  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise ConfigError(
            f"--grpc_transport=native is set, but {error.name} is missing: pip install "
            f"'lectern[native]', or give --grpc_transport={GRPCIO}"
        ) from error

    class Server(pygrpc_native.Server):
        def add_registered_method_handlers(
            self, service_name: str, method_handlers: Mapping[str, grpc.RpcMethodHandler]
        ) -> None:
            # A stream there takes a thread from requests. What is not registered is left to the
            # grpcio server behind it, which knows `experimental_thread_pool` (see `StreamLimit`).
            if not any(handler.response_streaming for handler in method_handlers.values()):
                super().add_registered_method_handlers(service_name, dict(method_handlers))

    try:
        return Server(threads, options=arguments)
    except ValueError as error:
        raise ConfigError(
            f"--grpc_transport=native: {error} in --grpc_channel_arguments: leave it out, or give "
            f"--grpc_transport={GRPCIO}"
        ) from error
