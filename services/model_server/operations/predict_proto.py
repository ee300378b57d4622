"""Answers a `PredictRequest` message on a servable."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from services.model_server.errors import invalid_argument
from services.model_server.operations.predict import DEFAULT_SIGNATURE, find_signature, predict
from services.model_server.servables.servable import Servable
from services.serving_api.protos import predict_pb2
from services.serving_api.tensors import TensorError, to_ndarray, to_tensor_proto


def answer_predict(
    servable: Servable,
    version: int,
    request: predict_pb2.PredictRequest,
    *,
    tensor_content: bool = False,
) -> predict_pb2.PredictResponse:
    """Run a request and write the answer in the form of its inputs.

    A client that sends `tensor_content` gets it back; one that sends typed fields (`float_val`, …)
    gets those, as TensorFlow Serving answers by default. `tensor_content` asks for that form
    whatever the client sent.

    Raises:
        ServingError: see `predict`; also INVALID_ARGUMENT for a tensor that cannot be read.
    """
    signature_name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    # Before the tensors are read: an unknown signature is the more telling error.
    signature = find_signature(servable, signature_name)
    outputs = predict(servable, signature_name, _read_inputs(request), list(request.output_filter))
    response = predict_pb2.PredictResponse()
    response.model_spec.name = request.model_spec.name
    response.model_spec.version.value = version
    response.model_spec.signature_name = signature_name
    typed_fields = not (
        tensor_content or any(proto.tensor_content for proto in request.inputs.values())
    )
    for name, array in outputs.items():
        data_type = signature.outputs[name].data_type
        proto = to_tensor_proto(array, data_type, typed_fields=typed_fields)
        response.outputs[name].CopyFrom(proto)
    return response


def _read_inputs(request: predict_pb2.PredictRequest) -> dict[str, npt.NDArray[Any]]:
    inputs = {}
    for name, proto in request.inputs.items():
        try:
            inputs[name] = to_ndarray(proto)
        except TensorError as error:
            raise invalid_argument(f"tensor parsing error: {name}: {error}") from None
    return inputs
