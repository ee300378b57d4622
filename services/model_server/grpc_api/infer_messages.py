"""The tensors in the inference messages of the Open Inference Protocol, and numpy arrays.

A tensor's values are in the typed fields of its `contents`, or in one of the raw buffers beside all
tensors: either all of a message's tensors are raw, or none is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy.typing as npt

from services.model_server.grpc_api.open_inference_proto import messages
from services.serving_api.arrays import Arrays
from services.serving_api.open_inference import (
    OpenInferenceError,
    check_datatype,
    datatype_of_output,
    from_bytes,
    from_values,
    to_bytes,
)
from services.serving_api.rest_json.dense import MAX_DIMENSIONS
from services.serving_api.signatures import DEFAULT_SIGNATURE, Signature, TensorSpec

_FIELDS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""The typed field of each datatype; FP16 and BF16 have none."""


def read_parameter(owner: Any, name: str, kind: type[Any], default: Any) -> Any:
    """Returns a parameter of a request or tensor.

    Raises:
        OpenInferenceError: it is of another type.
    """
    if name not in owner.parameters:
        return default
    parameter = owner.parameters[name]
    choice = parameter.WhichOneof("parameter_choice")
    value = getattr(parameter, choice) if choice else None
    if type(value) is not kind:
        raise OpenInferenceError(
            f"the parameter {name!r} is of the type {type(value).__name__}, expected "
            f"{kind.__name__}"
        )
    return value


def read_signature_name(request: Any) -> str:
    """Returns the signature that a request asks for."""
    name: str = read_parameter(request, "signature_name", str, DEFAULT_SIGNATURE)
    return name


def read_inputs(request: Any, signature: Signature) -> dict[str, npt.NDArray[Any]]:
    """Converts the tensors of a request into inputs of a signature; raw ones are views of it.

    Raises:
        OpenInferenceError: an input is unknown, doubled, of another datatype or size.
    """
    is_raw = bool(request.raw_input_contents)
    if is_raw and len(request.raw_input_contents) != len(request.inputs):
        raise OpenInferenceError(
            f"received {len(request.raw_input_contents)} raw_input_contents for "
            f"{len(request.inputs)} inputs, expected one for each input, or none and 'contents'"
        )
    arrays: dict[str, npt.NDArray[Any]] = {}
    for position, tensor in enumerate(request.inputs):
        if tensor.name not in signature.inputs or tensor.name in arrays:
            received = [each.name for each in request.inputs[:100]]
            raise OpenInferenceError(
                f"received the inputs {received}, expected {sorted(signature.inputs)}"
            )
        spec = signature.inputs[tensor.name]
        _check_tensor(tensor, spec)
        if is_raw:
            raw = request.raw_input_contents[position]
            arrays[tensor.name] = from_bytes(tensor.name, raw, tensor.shape, spec)
        else:
            arrays[tensor.name] = _read_contents(tensor, spec)
    return arrays


def write_response(request: Any, version: int, outputs: Arrays) -> Any:
    """Returns the answer to a request, raw where its inputs were or where an output has to be.

    Raises:
        OpenInferenceError: the protocol cannot carry an output.
    """
    response = messages.ModelInferResponse(
        model_name=request.model_name, model_version=str(version), id=request.id
    )
    datatypes = {name: datatype_of_output(name, array) for name, array in outputs.items()}
    is_raw = bool(request.raw_input_contents) or not _FIELDS.keys() >= set(datatypes.values())
    for name, array in outputs.items():
        tensor = response.outputs.add(name=name, datatype=datatypes[name], shape=array.shape)
        if is_raw:
            response.raw_output_contents.append(to_bytes(array))
        else:
            values = getattr(tensor.contents, _FIELDS[tensor.datatype])
            values.extend(array.ravel().tolist())
    return response


def check_no_shared_memory(tensors: Iterable[Any]) -> None:
    """Refuses tensors that are to travel through shared memory, as clients on Triton's machine do.

    Raises:
        OpenInferenceError: one is.
    """
    for tensor in tensors:
        if "shared_memory_region" in tensor.parameters:
            raise OpenInferenceError(
                f"{tensor.name!r} has the parameter 'shared_memory_region', which this server does "
                "not support: send and receive values in the messages"
            )


def _check_tensor(tensor: Any, spec: TensorSpec) -> None:
    if len(tensor.shape) > MAX_DIMENSIONS:
        raise OpenInferenceError(
            f"input {tensor.name!r} has {len(tensor.shape)} dimensions, expected at most "
            f"{MAX_DIMENSIONS}"
        )
    check_datatype(tensor.name, tensor.datatype, spec)


def _read_contents(tensor: Any, spec: TensorSpec) -> npt.NDArray[Any]:
    if tensor.datatype not in _FIELDS:
        raise OpenInferenceError(
            f"input {tensor.name!r} is {tensor.datatype}, which has no typed contents: send it in "
            "raw_input_contents"
        )
    values = getattr(tensor.contents, _FIELDS[tensor.datatype])
    return from_values(tensor.name, values, tensor.shape, spec)
