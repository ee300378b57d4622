"""grpcio's threaded server with TensorFlow Serving's Predict, the model in its process."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from benchmarks.in_process import InProcessModel
from services.serving_api.protos import predict_pb2, prediction_service_pb2_grpc
from services.serving_api.tensors import to_ndarray, to_tensor_proto


class Servicer(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self) -> None:
        self._model = InProcessModel()

    def Predict(self, request: Any, _: Any) -> Any:  # noqa: N802 - the protocol's name
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for name, array in self._model.predict(to_ndarray(request.inputs["images"])).items():
            response.outputs[name].CopyFrom(to_tensor_proto(array))
        return response


if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(16))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Servicer(), server)
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    server.start()
    server.wait_for_termination()
