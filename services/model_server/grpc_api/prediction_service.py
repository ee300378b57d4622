"""TensorFlow Serving's PredictionService (tensorflow_serving/apis/prediction_service.proto)."""

from __future__ import annotations

import grpc

from services.model_server.core.describe import describe_signatures
from services.model_server.core.errors import invalid_argument
from services.model_server.core.manager import ModelManager
from services.model_server.core.predict_proto import answer_predict
from services.model_server.grpc_api.errors import answers_errors
from services.serving_api.protos import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc]
    """Predict and GetModelMetadata; the other calls answer UNIMPLEMENTED."""

    def __init__(self, manager: ModelManager) -> None:
        self._manager = manager

    @answers_errors
    def Predict(  # noqa: N802 (the protocol's name)
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Run a signature."""
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        with self._manager.lease(request.model_spec) as (servable, version):
            return answer_predict(servable, version, request)

    @answers_errors
    def GetModelMetadata(  # noqa: N802
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        context: grpc.ServicerContext,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Say which signatures a model has."""
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid_argument(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for name in request.metadata_field:
            if name != "signature_def":
                raise invalid_argument(f"Metadata field {name} is not supported")
        return describe_signatures(self._manager, request.model_spec)
