"""The standard health service, which follows the models.

The protocol: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.model_server.grpc_api import open_inference_proto
from services.model_server.grpc_api.streams import StreamLimit
from services.model_server.models.manager import ModelManager

MAX_WATCHES = 32

_Status = health_pb2.HealthCheckResponse

SERVICES = (
    "",
    # As TensorFlow Serving names them, and as the health protocol would.
    "ModelService",
    "PredictionService",
    "tensorflow.serving.ModelService",
    "tensorflow.serving.PredictionService",
    open_inference_proto.SERVICE.full_name,
)


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """Every service is SERVING while each configured model has an available version.

    grpcio-health-checking has a servicer too, but it holds its lock while it sends: a client that
    opens and ends many watches can stop every other call for good.
    """

    def __init__(self, manager: ModelManager) -> None:
        self._manager = manager
        self._is_stopping = False
        self._changed = threading.Condition()
        limit = StreamLimit("health", MAX_WATCHES)
        self.Watch = limit.apply_to(self.Watch)  # type: ignore[method-assign, assignment]
        manager.subscribe(self._notify)

    def stop(self) -> None:
        """Says NOT_SERVING from now on, and ends the watches."""
        self._is_stopping = True
        self._notify()

    def Check(  # noqa: N802 (the protocol's name)
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Returns the status of a service."""
        if request.service not in SERVICES:
            context.abort(
                grpc.StatusCode.NOT_FOUND,
                f"no service {request.service[:100]!r}: the services are {', '.join(SERVICES[1:])}",
            )
        return _Status(status=self._status(request.service))

    def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> Iterator[health_pb2.HealthCheckResponse]:
        """Returns the status of a service now and whenever it changes."""
        status = None
        is_open = context.add_callback(self._notify)
        while is_open:
            status = self._wait_for_another(status, request.service, context)
            yield _Status(status=status)
            is_open = context.is_active() and not self._is_stopping

    def _wait_for_another(
        self, status: int | None, service: str, context: grpc.ServicerContext
    ) -> int:
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._status(service) != status or self._is_stopping or not context.is_active()
                )
            )
            return self._status(service)

    def _status(self, service: str) -> int:
        if service not in SERVICES:
            return int(_Status.SERVICE_UNKNOWN)
        is_serving = self._manager.is_ready() and not self._is_stopping
        return int(_Status.SERVING if is_serving else _Status.NOT_SERVING)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
