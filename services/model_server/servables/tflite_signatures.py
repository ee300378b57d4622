"""The signatures of a TensorFlow Lite file, wherever they stand in it.

Source: tensorflow_serving/servables/tensorflow/tflite_session.cc and
tensorflow/lite/tools/signature/signature_def_util.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from flatbuffers import flexbuffers

from services.model_server.servables.tensorflow_core import tflite_schema
from services.serving_api.arrays import Arrays
from services.serving_api.dtypes import data_type_of
from services.serving_api.protos import meta_graph_pb2
from services.serving_api.signatures import DEFAULT_SIGNATURE

_METHOD_NAME = "tensorflow/serving/predict"
_METADATA_NAME = b"signature_defs_metadata"

_Details = Mapping[str, Mapping[str, Any]]
"""The interpreter's details of tensors, by the signature's name of each."""


class TfLiteSignature(NamedTuple):
    """One signature of a TensorFlow Lite file.

    Attributes:
        proto: The signature as a SavedModel states it.
        run: Computes all outputs by name; the next run reuses their memory.
    """

    proto: meta_graph_pb2.SignatureDef
    run: Callable[[Arrays], Mapping[str, npt.NDArray[Any]]]


def read_signatures(interpreter: Any, content: bytes) -> dict[str, TfLiteSignature]:
    """Returns the signatures of a file by name.

    They are those of the file, else those of its metadata, else `serving_default`, whose inputs and
    outputs have the names of the file's tensors.

    Args:
        interpreter: A `tf.lite.Interpreter` of the file.
        content: The file.

    Raises:
        ValueError: The metadata names a tensor that is no input or output.
    """
    if names := list(interpreter.get_signature_list()):
        return {name: _from_runner(interpreter.get_signature_runner(name)) for name in names}
    inputs = {detail["name"]: detail for detail in interpreter.get_input_details()}
    outputs = {detail["name"]: detail for detail in interpreter.get_output_details()}
    protos = _metadata_signatures(content)
    if not protos:
        return {DEFAULT_SIGNATURE: _from_tensors(interpreter, inputs, outputs)}
    return {
        name: _from_tensors(
            interpreter, _named(proto.inputs, inputs), _named(proto.outputs, outputs)
        )
        for name, proto in protos.items()
    }


def _from_runner(runner: Any) -> TfLiteSignature:
    proto = _signature_def(runner.get_input_details(), runner.get_output_details())
    return TfLiteSignature(proto, lambda inputs: runner(**inputs))


def _from_tensors(interpreter: Any, inputs: _Details, outputs: _Details) -> TfLiteSignature:
    def run(arrays: Arrays) -> Mapping[str, npt.NDArray[Any]]:
        for name, array in arrays.items():
            interpreter.resize_tensor_input(inputs[name]["index"], array.shape, strict=True)
        interpreter.allocate_tensors()
        for name, array in arrays.items():
            interpreter.set_tensor(inputs[name]["index"], array)
        interpreter.invoke()
        return {name: interpreter.get_tensor(detail["index"]) for name, detail in outputs.items()}

    return TfLiteSignature(_signature_def(inputs, outputs), run)


def _metadata_signatures(content: bytes) -> dict[str, meta_graph_pb2.SignatureDef]:
    """Returns the SignatureDefs of the metadata buffer: a flexbuffer map of serialized messages."""
    model = tflite_schema.ModelT.InitFromObj(tflite_schema.Model.GetRootAs(content))
    for entry in model.metadata or ():
        if entry.name == _METADATA_NAME:
            protos = flexbuffers.GetRoot(bytes(model.buffers[entry.buffer].data)).AsMap
            return {
                name.AsKey: meta_graph_pb2.SignatureDef.FromString(proto.AsStringBytes)
                for name, proto in zip(protos.Keys, protos.Values, strict=True)
            }
    return {}


def _named(tensors: Mapping[str, Any], details: _Details) -> _Details:
    """Returns the details of a signature's tensors by the signature's names."""
    return {name: details[_lite_name(info.name, details)] for name, info in tensors.items()}


def _lite_name(name: str, details: _Details) -> str:
    # A SavedModel's name of a tensor may have the number of the output behind it.
    for candidate in (name, name.removesuffix(":0")):
        if candidate in details:
            return candidate
    raise ValueError(f"its metadata names the tensor {name!r}, expected one of {sorted(details)}")


def _signature_def(inputs: _Details, outputs: _Details) -> meta_graph_pb2.SignatureDef:
    proto = meta_graph_pb2.SignatureDef(method_name=_METHOD_NAME)
    for tensors, details in ((proto.inputs, inputs), (proto.outputs, outputs)):
        for name, detail in details.items():
            info = tensors[name]
            info.name = detail["name"]
            info.dtype = data_type_of(np.dtype(detail["dtype"]))
            for size in detail["shape_signature"].tolist():
                info.tensor_shape.dim.add(size=size)
    return proto
