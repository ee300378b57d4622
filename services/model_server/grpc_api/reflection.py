"""Describes the services to whoever asks over gRPC.

The protocol: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection  # type: ignore[import-untyped]

_SERVICES = (
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
    health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
    reflection.SERVICE_NAME,
)

for _module in ("prediction_service_pb2", "model_service_pb2"):
    # They add their descriptors to protobuf's pool, where reflection finds them, and then fail on
    # attributes that protobuf no longer has.
    with suppress(AttributeError):
        import_module(f"tensorflow_serving.apis.{_module}")


def add_reflection(server: grpc.Server) -> None:
    """Let clients list the services and read their descriptors."""
    reflection.enable_server_reflection(_SERVICES, server)
