"""Signatures of TensorFlow Lite files: their own, of their metadata, made from tensor names."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
import tensorflow as tf
from flatbuffers import flexbuffers
from tensorflow.lite.python import schema_py_generated as schema

from services.model_server.errors import ServingError
from services.model_server.servables.tflite_model import TfLiteServable
from services.serving_api.protos import meta_graph_pb2
from services.serving_api.signatures import DEFAULT_SIGNATURE

STRING = flexbuffers.Type.STRING
X = np.array([[1], [2], [3]], np.float32)


class Thirds(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, name="x")])
    def multiply(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": 3.0 * x}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> schema.ModelT:
    """A parsed file without signatures."""
    folder = tmp_path_factory.mktemp("thirds")
    module = Thirds()
    tf.saved_model.save(module, str(folder), signatures=module.multiply)
    content = tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert()
    parsed = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    parsed.signatureDefs = None
    return parsed


def pack(parsed: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder()
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture
def write(tmp_path: Path) -> Callable[[schema.ModelT], TfLiteServable]:
    """A function that writes a parsed file and loads it."""

    def write_and_load(parsed: schema.ModelT) -> TfLiteServable:
        (tmp_path / "model.tflite").write_bytes(pack(parsed))
        return TfLiteServable(tmp_path)

    return write_and_load


def tensor_names(parsed: schema.ModelT) -> tuple[str, str]:
    graph = parsed.subgraphs[0]
    first, last = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    return first.name.decode(), last.name.decode()


def add_metadata(parsed: schema.ModelT, protos: dict[str, meta_graph_pb2.SignatureDef]) -> None:
    content = flexbuffers.Builder()
    with content.Map():
        for name, proto in protos.items():
            content.Key(name)
            content._WriteBlob(proto.SerializeToString(), append_zero=True, type_=STRING)
    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer = b"signature_defs_metadata", len(parsed.buffers)
    buffer.data = list(content.Finish())
    parsed.buffers.append(buffer)
    parsed.metadata = [*(parsed.metadata or []), entry]


def test_a_file_without_signatures_is_served_by_its_tensors_names(model, write) -> None:
    servable = write(model)
    x, y = tensor_names(model)
    assert list(servable.signatures) == [DEFAULT_SIGNATURE]
    signature = servable.signatures[DEFAULT_SIGNATURE]
    assert signature.inputs[x].shape == (None, 1)
    assert list(signature.outputs) == [y]
    for rows in (3, 1, 2):
        outputs = servable.run(DEFAULT_SIGNATURE, {x: X[:rows]}, [y])
        np.testing.assert_array_equal(outputs[y], 3 * X[:rows])


def test_signatures_of_the_metadata_name_the_tensors(model, write) -> None:
    x, y = tensor_names(model)
    proto = meta_graph_pb2.SignatureDef()
    proto.inputs["number"].name = f"{x}:0"
    proto.outputs["tripled"].name = y
    with_metadata = copy.deepcopy(model)
    add_metadata(with_metadata, {"triple": proto})
    servable = write(with_metadata)
    assert list(servable.signatures) == ["triple"]
    outputs = servable.run("triple", {"number": X}, ["tripled"])
    np.testing.assert_array_equal(outputs["tripled"], 3 * X)


def test_metadata_that_names_another_tensor_is_refused(model, write) -> None:
    proto = meta_graph_pb2.SignatureDef()
    proto.inputs["number"].name = "gone"
    with_metadata = copy.deepcopy(model)
    add_metadata(with_metadata, {"triple": proto})
    with pytest.raises(ServingError, match=r"its metadata names the tensor 'gone'"):
        write(with_metadata)
