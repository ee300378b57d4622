"""Chooses what speaks HTTP/2: pygrpc-native where it can, grpcio otherwise.

grpcio runs Python for every event of a call, which costs more than the CNN's share of a batch;
pygrpc-native does the same work in Rust, outside Python's lock, behind grpcio's own interface.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable
from concurrent.futures import Executor
from typing import NamedTuple

import grpc

from services.model_server.grpc_api.options import ChannelArguments, GrpcOptions

HAS_NATIVE = importlib.util.find_spec("pygrpc_native") is not None
"""Whether the optional package is installed."""

_UNREGISTERED = {
    "tensorflow.serving.PredictionService": (
        "Predict",
        "Classify",
        "Regress",
        "MultiInference",
        "GetModelMetadata",
    ),
    "tensorflow.serving.ModelService": ("GetModelStatus", "HandleReloadConfigRequest"),
}
"""The methods of the services whose generated code, made before 2024, does not register them."""


class _Call(NamedTuple):
    """What a generic handler is asked by, a `grpc.HandlerCallDetails`."""

    method: str
    invocation_metadata: tuple[()] = ()


def create_server(
    threads: Executor, arguments: ChannelArguments, options: GrpcOptions
) -> grpc.Server:
    """Return a server without services or ports.

    Args:
        threads: what the methods run in.
        arguments: of the channel, those of `options` included.
        options: how to listen; TLS, a UNIX socket and channel arguments need grpcio.
    """
    needs_grpcio = options.credentials or options.socket_path or options.channel_arguments
    if needs_grpcio or not HAS_NATIVE:
        return grpc.server(threads, options=list(arguments.items()))
    return _native_server(threads, arguments)


def _native_server(threads: Executor, arguments: ChannelArguments) -> grpc.Server:
    import pygrpc_native  # noqa: PLC0415 (it may be missing)

    # It warns of a taken port, which is an error here and said once.
    logging.getLogger("pygrpc_native").setLevel(logging.ERROR)

    class NativeServer(pygrpc_native.Server):
        """Also takes methods that are not registered; it would leave them to grpcio."""

        def add_generic_rpc_handlers(
            self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]
        ) -> None:
            handlers = list(generic_rpc_handlers)
            super().add_generic_rpc_handlers(handlers)
            for handler in handlers:
                self.add_registered_method_handlers(handler.service_name(), _methods(handler))

    return NativeServer(threads, options=list(arguments.items()))


def _methods(handler: grpc.ServiceRpcHandler) -> dict[str, grpc.RpcMethodHandler]:
    service = handler.service_name()
    names = _UNREGISTERED.get(service, ())
    return {name: handler.service(_Call(f"/{service}/{name}")) for name in names}
