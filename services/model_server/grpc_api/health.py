"""The standard health service, telling the truth about the models.

The protocol: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import HealthServicer

from services.model_server.grpc_api import open_inference_proto
from services.model_server.models.manager import ModelManager

_STATUS = health_pb2.HealthCheckResponse

SERVICES = (
    "",
    # As TensorFlow Serving names them, and as the health protocol would.
    "ModelService",
    "PredictionService",
    "tensorflow.serving.ModelService",
    "tensorflow.serving.PredictionService",
    open_inference_proto.SERVICE.full_name,
)


def follow_models(health: HealthServicer, manager: ModelManager) -> None:
    """Keep every service SERVING while each configured model has an available version."""

    def update() -> None:
        status = _STATUS.SERVING if manager.is_ready() else _STATUS.NOT_SERVING
        for service in SERVICES:
            health.set(service, status)

    manager.subscribe(update)
    update()
