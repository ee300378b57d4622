"""The tensors of `PredictRequest` and `PredictResponse`, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from services.model_server.errors import invalid_argument
from services.serving_api.arrays import Arrays
from services.serving_api.protos import tensor_pb2
from services.serving_api.signatures import Signature
from services.serving_api.tensors import TensorError, to_ndarray, to_tensor_proto


def read_inputs(
    inputs: Mapping[str, tensor_pb2.TensorProto],
) -> dict[str, npt.NDArray[Any]]:
    """Returns the inputs of a request.

    Raises:
        ServingError: INVALID_ARGUMENT for a tensor that cannot be read.
    """
    arrays = {}
    for name, proto in inputs.items():
        try:
            arrays[name] = to_ndarray(proto)
        except TensorError as error:
            raise invalid_argument(f"tensor parsing error: {name}: {error}") from None
    return arrays


def write_outputs(
    target: Any, outputs: Arrays, signature: Signature, *, typed_fields: bool
) -> None:
    """Writes the outputs of a signature into the map of a response.

    Args:
        target: the map `outputs` of a PredictResponse.
        outputs: the arrays.
        signature: names the data type of each output.
        typed_fields: see `to_tensor_proto`.
    """
    for name, array in outputs.items():
        data_type = signature.outputs[name].data_type
        target[name].CopyFrom(to_tensor_proto(array, data_type, typed_fields=typed_fields))
