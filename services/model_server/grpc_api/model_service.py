"""TensorFlow Serving's ModelService (tensorflow_serving/apis/model_service.proto)."""

from __future__ import annotations

import grpc

from services.model_server.core.describe import describe_status
from services.model_server.core.errors import invalid_argument
from services.model_server.core.manager import ModelManager
from services.model_server.grpc_api.errors import answers_errors
from services.serving_api.protos import get_model_status_pb2, model_service_pb2_grpc


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]
    """GetModelStatus; HandleReloadConfigRequest answers UNIMPLEMENTED."""

    def __init__(self, manager: ModelManager) -> None:
        self._manager = manager

    @answers_errors
    def GetModelStatus(  # noqa: N802 (the protocol's name)
        self,
        request: get_model_status_pb2.GetModelStatusRequest,
        context: grpc.ServicerContext,
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Say where the versions of a model stand; a label is ignored, as in TensorFlow Serving."""
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        return describe_status(self._manager, request.model_spec)
