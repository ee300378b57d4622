"""The requests and answers of the Open Inference Protocol, with and without raw bytes behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NotRequired

import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError, model_validator
from typing_extensions import TypedDict

from services.gateway.api.body import describe_error
from services.gateway.api.responses import Model
from services.gateway.request.errors import InvalidRequest
from services.serving_api.open_inference import (
    check_datatype,
    classification_strings,
    datatype_of_output,
    from_bytes,
    from_json,
    to_bytes,
    to_json,
)
from services.serving_api.rest_json.parsing import parse_json
from services.serving_api.rest_json.writing import write_json
from services.serving_api.signatures import DEFAULT_SIGNATURE, Signature

HEADER_LENGTH = "Inference-Header-Content-Length"
"""How many bytes of a body are its JSON, where raw tensors follow."""

_Dimension = Annotated[int, Field(ge=0, lt=2**31)]


class _Message(BaseModel):
    """A JSON object of the protocol; a member that is null counts as left out."""

    model_config = ConfigDict(strict=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, members: Any) -> Any:
        if not isinstance(members, dict):
            return members
        return {name: member for name, member in members.items() if member is not None}


class TensorParameters(_Message):
    """How a tensor travels."""

    binary_data_size: int | None = Field(None, ge=0)


class InputTensor(_Message):
    """One input; its values are in `data`, or in the bytes behind the JSON."""

    name: str
    shape: Annotated[list[_Dimension], FailFast(), Field(max_length=32)]
    datatype: str
    parameters: TensorParameters = TensorParameters()
    data: Any = None


class OutputParameters(_Message):
    """How an output travels, and whether its scores do, or the classes that they rank highest."""

    binary_data: bool | None = None
    classification: int | None = Field(None, ge=1)


class RequestedOutput(_Message):
    """One output that the client wants."""

    name: str
    parameters: OutputParameters = OutputParameters()


class RequestParameters(_Message):
    """What goes for the whole request; `signature_name` is TensorFlow Serving's."""

    binary_data_output: bool = False
    signature_name: str = DEFAULT_SIGNATURE


class InferRequest(_Message):
    """An inference."""

    id: str | None = None
    parameters: RequestParameters = RequestParameters()
    inputs: Annotated[list[InputTensor], FailFast(), Field(min_length=1, max_length=1000)]
    outputs: Annotated[list[RequestedOutput], FailFast(), Field(max_length=1000)] = []


class TensorSpec(TypedDict):
    """An input or an output of a model."""

    name: str
    datatype: str
    shape: list[int]


class OutputTensor(TensorSpec):
    """One output; its values are in `data`, or in the bytes behind the JSON."""

    parameters: NotRequired[dict[str, int]]
    data: NotRequired[list[Any]]


class Inference(TypedDict):
    """The answer of an inference."""

    model_name: str
    model_version: str
    id: NotRequired[str]
    outputs: list[OutputTensor]


def read_request(
    body: bytes, header_length: str | None, max_json_values: int
) -> tuple[InferRequest, bytes]:
    """Splits a body into its JSON and the raw bytes behind it.

    Args:
        body: the whole body.
        header_length: the value of `Inference-Header-Content-Length`, if there is one.
        max_json_values: the limit of `parse_json`.

    Raises:
        TooManyValuesError: the JSON has more values.
        InvalidRequest: the JSON has another form, or the length is none of this body.
        JsonError: it is not JSON.
    """
    length = len(body)
    if header_length is not None:
        # Ten digits are more than a body has, and int() takes its time for thousands.
        length = int(header_length) if header_length.isdecimal() and len(header_length) < 11 else -1
        if not 0 <= length <= len(body):
            raise InvalidRequest(
                f"received {HEADER_LENGTH}: {header_length[:20]}, expected at most the "
                f"{len(body)} bytes of the body"
            )
    document = parse_json(body[:length], max_json_values)
    try:
        return InferRequest.model_validate(document), body[length:]
    except ValidationError as error:
        raise InvalidRequest("; ".join(map(describe_error, error.errors()))) from None


def read_inputs(
    tensors: list[InputTensor], raw: bytes, signature: Signature
) -> dict[str, npt.NDArray[Any]]:
    """Converts the tensors of a request into the inputs of a signature.

    Inputs that have a default value may be left out: the model server adds them.

    Raises:
        InvalidRequest: an input is missing, unknown or doubled, or bytes are left over.
        OpenInferenceError: an input is of another datatype or size.
        JsonError: a JSON value is not of the input's dtype.
    """
    _check_names([tensor.name for tensor in tensors], signature)
    arrays, position = {}, 0
    for tensor in tensors:
        spec = signature.inputs[tensor.name]
        check_datatype(tensor.name, tensor.datatype, spec)
        size = tensor.parameters.binary_data_size
        if size is None:
            array = from_json(tensor.name, tensor.data, tensor.shape, spec)
        else:
            content = raw[position : position + size]
            array = from_bytes(tensor.name, content, tensor.shape, spec)
            position += size
        arrays[tensor.name] = array
    if position != len(raw):
        raise InvalidRequest(
            f"{len(raw)} bytes follow the JSON, expected {position}, the sum of binary_data_size"
        )
    return arrays


def _check_names(names: Sequence[str], signature: Signature) -> None:
    left_out = signature.defaults.difference(names)
    if sorted(names) != sorted(signature.inputs.keys() - left_out):
        optional = f", of which {sorted(signature.defaults)} may be left out"
        raise InvalidRequest(
            f"received the inputs {sorted(names)}, expected {sorted(signature.inputs)}"
            f"{optional if signature.defaults else ''}"
        )


def write_answer(
    request: InferRequest,
    model: Model,
    outputs: Mapping[str, npt.NDArray[Any]],
    labels: Sequence[str] = (),
) -> tuple[bytes, bytes]:
    """Writes an answer.

    Args:
        request: which outputs are wanted, and how.
        model: the model that answered.
        outputs: all that the model gave.
        labels: the names of the model's classes, for the parameter `classification`.

    Returns:
        The JSON, and the raw bytes that follow it.

    Raises:
        InvalidRequest: an output is wanted that the model does not have.
        OpenInferenceError: the protocol cannot carry an output, or it holds no scores to rank.
    """
    wanted = request.outputs or [RequestedOutput(name=name) for name in outputs]
    if unknown := sorted({output.name for output in wanted} - outputs.keys()):
        raise InvalidRequest(f"received the outputs {unknown}, expected some of {sorted(outputs)}")
    tensors: list[OutputTensor] = []
    raw: list[bytes] = []
    for output in wanted:
        array = outputs[output.name]
        if output.parameters.classification is not None:
            count = output.parameters.classification
            array = classification_strings(output.name, array, count, labels)
        tensor: OutputTensor = {
            "name": output.name,
            "datatype": datatype_of_output(output.name, array),
            "shape": list(array.shape),
        }
        binary = output.parameters.binary_data
        if request.parameters.binary_data_output if binary is None else binary:
            raw.append(to_bytes(array))
            tensor["parameters"] = {"binary_data_size": len(raw[-1])}
        else:
            tensor["data"] = to_json(output.name, array)
        tensors.append(tensor)
    answer: Inference = {
        "model_name": model["name"],
        "model_version": model["version"],
        "outputs": tensors,
    }
    if request.id is not None:
        answer["id"] = request.id
    return write_json(answer), b"".join(raw)
