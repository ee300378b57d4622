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
from services.serving_api.protos import model_service_pb2_grpc, prediction_service_pb2_grpc

MAX_THREADS = 4 * (os.cpu_count() or 1)
"""TensorFlow Serving's default for `--grpc_max_threads`."""

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Otherwise two servers could share the port, each with half of the requests.
    ("grpc.so_reuseport", 0),
)


class PortTakenError(OSError):
    """A port that cannot be listened on; the message says which."""


class GrpcServer:
    """TensorFlow Serving's gRPC services over a manager."""

    def __init__(self, manager: ModelManager, port: int) -> None:
        """Take the port; nothing answers before `start`.

        Raises:
            PortTakenError: something else listens there, or it is not allowed.
        """
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

    def stop(self, grace_seconds: float) -> None:
        """Say NOT_SERVING, accept nothing new, and wait for the requests in flight.

        Args:
            grace_seconds: how long they may take before they are cancelled.
        """
        self._health.enter_graceful_shutdown()
        self._server.stop(grace_seconds).wait()
