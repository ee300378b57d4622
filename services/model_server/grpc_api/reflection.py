"""Describes the services to clients.

The protocol: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import (  # type: ignore[import-untyped]
    reflection,
    reflection_pb2_grpc,
)

from services.model_server.grpc_api import open_inference_proto
from services.model_server.grpc_api.handlers import MODEL_SERVICE, PREDICTION_SERVICE
from services.model_server.grpc_api.streams import StreamLimit

_SERVICES = (
    PREDICTION_SERVICE.full_name,
    MODEL_SERVICE.full_name,
    health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
    reflection.SERVICE_NAME,
)


def add_reflection(server: grpc.Server, limit: StreamLimit) -> None:
    """Lets clients list the services and read their descriptors, each in a stream of its own."""
    default = descriptor_pool.Default()
    files = [default.FindFileContainingSymbol(service) for service in _SERVICES]
    pool = _copy([*files, open_inference_proto.FILE])
    services = (*_SERVICES, open_inference_proto.SERVICE.full_name)
    servicer = reflection.ReflectionServicer(services, pool)
    servicer.ServerReflectionInfo = limit.apply_to(servicer.ServerReflectionInfo)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)


def _copy(files: Iterable[FileDescriptor]) -> descriptor_pool.DescriptorPool:
    """Returns one pool of files that are in several."""
    pool = descriptor_pool.DescriptorPool()
    names: set[str] = set()

    def add(file: FileDescriptor) -> None:
        if file.name in names:
            return
        names.add(file.name)
        for dependency in file.dependencies:
            add(dependency)
        pool.AddSerializedFile(file.serialized_pb)

    for file in files:
        add(file)
    return pool
