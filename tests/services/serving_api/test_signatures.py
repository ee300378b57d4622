"""Signatures are read from real metadata."""

from __future__ import annotations

import pytest

from services.serving_api.protos import get_model_metadata_pb2, meta_graph_pb2, types_pb2
from services.serving_api.signatures import TensorSpec, signatures_of


def tensor_info(data_type: int, *sizes: int) -> meta_graph_pb2.TensorInfo:
    info = meta_graph_pb2.TensorInfo(dtype=data_type)
    for size in sizes:
        info.tensor_shape.dim.add(size=size)
    return info


def test_signatures_of_a_response():
    signature = meta_graph_pb2.SignatureDef(method_name="tensorflow/serving/predict")
    signature.inputs["images"].CopyFrom(tensor_info(types_pb2.DT_FLOAT, -1, 28, 28, 1))
    signature.inputs["scale"].CopyFrom(tensor_info(types_pb2.DT_FLOAT))
    signature.defaults["scale"].dtype = types_pb2.DT_FLOAT
    signature.outputs["label"].CopyFrom(tensor_info(types_pb2.DT_STRING, -1))
    signature.outputs["any"].dtype = types_pb2.DT_INT32
    signature.outputs["any"].tensor_shape.unknown_rank = True
    signature_map = get_model_metadata_pb2.SignatureDefMap(
        signature_def={"serving_default": signature}
    )
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.metadata["signature_def"].Pack(signature_map)

    read = signatures_of(response)["serving_default"]

    assert read.method_name == "tensorflow/serving/predict"
    assert read.inputs == {
        "images": TensorSpec(types_pb2.DT_FLOAT, (None, 28, 28, 1)),
        "scale": TensorSpec(types_pb2.DT_FLOAT, ()),
    }
    assert read.defaults == {"scale"}
    assert read.outputs == {
        "label": TensorSpec(types_pb2.DT_STRING, (None,)),
        "any": TensorSpec(types_pb2.DT_INT32, None),
    }


@pytest.mark.parametrize(
    ("shape", "size"), [((None, 28, 28), 784), ((None,), 1), ((None, None, 3), 0), (None, 0)]
)
def test_the_size_of_a_row(shape, size):
    assert TensorSpec(types_pb2.DT_FLOAT, shape).row_size == size


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (TensorSpec(types_pb2.DT_FLOAT, (None, 28, 28, 1)), "float32[N, 28, 28, 1]"),
        (TensorSpec(types_pb2.DT_STRING, (None,)), "string[N]"),
        (TensorSpec(types_pb2.DT_INT64, None), "int64 of any shape"),
    ],
)
def test_a_spec_reads_as_people_write_it(spec, text):
    assert str(spec) == text


@pytest.mark.parametrize(
    ("shape", "accepted"),
    [((5, 28), True), ((0, 28), True), ((5, 27), False), ((28,), False), ((1, 28, 1), False)],
)
def test_accepts(shape, accepted):
    assert TensorSpec(types_pb2.DT_FLOAT, (None, 28)).accepts(shape) is accepted


def test_an_unknown_rank_accepts_anything():
    assert TensorSpec(types_pb2.DT_FLOAT, None).accepts((1, 2, 3))
