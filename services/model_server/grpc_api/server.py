"""The gRPC server: a thread pool, the services and a port."""

from __future__ import annotations

import os
from concurrent import futures

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import HealthServicer

from services.model_server.core.manager import ModelManager
from services.model_server.grpc_api.health import follow_models
from services.model_server.grpc_api.model_service import ModelService
from services.model_server.grpc_api.prediction_service import PredictionService
from services.model_server.ports import PortTakenError
from services.serving_api.protos import model_service_pb2_grpc, prediction_service_pb2_grpc

MAX_THREADS = 4 * (os.cpu_count() or 1)
"""TensorFlow Serving's default for `--grpc_max_threads`."""

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Otherwise two servers could share the port, each with half of the requests.
    ("grpc.so_reuseport", 0),
)


class GrpcServer:
    """TensorFlow Serving's gRPC services over a manager."""

    def __init__(self, manager: ModelManager, port: int, grace_seconds: float) -> None:
        """Take the port; nothing answers before `start`.

        Args:
            manager: what to serve from.
            port: where to listen.
            grace_seconds: how long requests in flight may take after `stop`.

        Raises:
            PortTakenError: something else listens there, or it is not allowed.
        """
        self._grace_seconds = grace_seconds
        self._health = HealthServicer()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="grpc"), options=_OPTIONS
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(manager), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(manager), self._server
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        try:
            self._server.add_insecure_port(f"[::]:{port}")
        except RuntimeError:
            raise PortTakenError(f"gRPC cannot listen on port {port}: is it taken?") from None
        follow_models(self._health, manager)

    def start(self) -> None:
        """Accept requests."""
        self._server.start()

    def stop(self) -> None:
        """Say NOT_SERVING, accept nothing new, and wait for the requests in flight."""
        self._health.enter_graceful_shutdown()
        self._server.stop(self._grace_seconds).wait()
