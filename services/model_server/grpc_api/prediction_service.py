"""TensorFlow Serving's PredictionService (tensorflow_serving/apis/prediction_service.proto)."""

from __future__ import annotations

import grpc

from services.model_server.errors import invalid_argument
from services.model_server.grpc_api.errors import answers_errors
from services.model_server.inference.data_plane import DataPlane
from services.serving_api.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)


class PredictionService:
    """Predict, Classify, Regress, MultiInference and GetModelMetadata."""

    def __init__(self, data_plane: DataPlane) -> None:
        self._data_plane = data_plane

    @answers_errors
    def Predict(  # noqa: N802 (the protocol's name)
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs a signature on tensors."""
        return self._data_plane.predict(request)

    @answers_errors
    def Classify(  # noqa: N802
        self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext
    ) -> classification_pb2.ClassificationResponse:
        """Runs a signature on examples and returns the classes of each."""
        return self._data_plane.classify(request)

    @answers_errors
    def Regress(  # noqa: N802
        self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext
    ) -> regression_pb2.RegressionResponse:
        """Runs a signature on examples and returns the value of each."""
        return self._data_plane.regress(request)

    @answers_errors
    def MultiInference(  # noqa: N802
        self, request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext
    ) -> inference_pb2.MultiInferenceResponse:
        """Runs several signatures of one model on the same examples."""
        return self._data_plane.multi_inference(request)

    @answers_errors
    def GetModelMetadata(  # noqa: N802
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        context: grpc.ServicerContext,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Returns the signatures of a model."""
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid_argument(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for name in request.metadata_field:
            if name != "signature_def":
                raise invalid_argument(f"Metadata field {name} is not supported")
        return self._data_plane.metadata(request.model_spec)
