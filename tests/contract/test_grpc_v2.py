"""The Open Inference Protocol over gRPC, by Triton's own client; a promise of Lectern's alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
import requests
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from tritonclient import grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

pytestmark = pytest.mark.usefixtures("ours")

INVALID, NOT_FOUND = "StatusCode.INVALID_ARGUMENT", "StatusCode.NOT_FOUND"
TF2 = "half_plus_two_tf2"


@pytest.fixture(scope="module")
def client(contract: Any) -> Iterator[triton.InferenceServerClient]:
    client = triton.InferenceServerClient(contract.grpc)
    yield client
    client.close()


@pytest.fixture(scope="module")
def stub(channel: grpc.Channel) -> service_pb2_grpc.GRPCInferenceServiceStub:
    return service_pb2_grpc.GRPCInferenceServiceStub(channel)


def tensor(name: str, array: np.ndarray, datatype: str) -> triton.InferInput:
    return triton.InferInput(name, list(array.shape), datatype).set_data_from_numpy(array)


def x(*values: float) -> list[triton.InferInput]:
    return [tensor("x", np.array([[value] for value in values], np.float32), "FP32")]


def typed_request(*values: float, model: str = TF2) -> Any:
    request = service_pb2.ModelInferRequest(model_name=model)
    added = request.inputs.add(name="x", datatype="FP32", shape=[len(values), 1])
    added.contents.fp32_contents.extend(values)
    return request


def test_the_server_is_live_and_ready(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata.name == "lectern"
    assert "classification" in metadata.extensions


@pytest.mark.parametrize(
    ("name", "version", "is_ready"),
    [
        ("half_plus_two", "", True),
        ("half_plus_two", "2", True),
        ("half_plus_two", "stable", True),
        ("half_plus_two", "9", False),
        ("half_plus_two", "unknown", False),
        ("unknown", "", False),
    ],
)
def test_a_model_is_ready(client: Any, name: str, version: str, is_ready: bool) -> None:
    assert client.is_model_ready(name, version) is is_ready


def test_metadata(client: Any) -> None:
    assert set(client.get_model_metadata("half_plus_two").versions) == {"1", "2"}
    metadata = client.get_model_metadata(TF2, as_json=True)
    assert metadata["versions"] == ["1"]
    assert metadata["platform"] == "tensorflow_savedmodel"
    shape = ["-1", "1"]
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": shape}]
    assert {output["name"]: output for output in metadata["outputs"]} == {
        "y": {"name": "y", "datatype": "FP32", "shape": shape},
        "x_bytes": {"name": "x_bytes", "datatype": "BYTES", "shape": shape},
    }


@pytest.mark.parametrize(
    ("version", "answered_by", "y"), [("", "2", 4), ("1", "1", 3), ("stable", "1", 3)]
)
def test_raw_tensors(client: Any, version: str, answered_by: str, y: float) -> None:
    result = client.infer("half_plus_two", x(2), model_version=version, request_id="mine")
    np.testing.assert_array_equal(result.as_numpy("y"), [[y]])
    response = result.get_response()
    assert (response.model_name, response.model_version) == ("half_plus_two", answered_by)
    assert response.id == "mine"
    assert len(response.raw_output_contents) == 1


def test_strings(client: Any) -> None:
    wanted = [triton.InferRequestedOutput("x_bytes")]
    result = client.infer(TF2, x(2, 4), outputs=wanted)
    assert [output.name for output in result.get_response().outputs] == ["x_bytes"]
    assert result.as_numpy("x_bytes").tolist() == [[b"2.000000"], [b"4.000000"]]


def test_typed_contents_are_answered_in_typed_contents(stub: Any) -> None:
    response = stub.ModelInfer(typed_request(2, 4), timeout=30)
    outputs = {output.name: output for output in response.outputs}
    assert list(outputs["y"].contents.fp32_contents) == [3, 4]
    assert list(outputs["x_bytes"].contents.bytes_contents) == [b"2.000000", b"4.000000"]
    assert outputs["y"].datatype == "FP32"
    assert list(outputs["y"].shape) == [2, 1]
    assert not response.raw_output_contents


ARRAYS = {
    "BOOL": np.array([True, False]),
    "BYTES": np.array([b"\x00\xff", b""], np.object_),
    "FP32": np.array([0.5, np.nan], np.float32),
    "FP64": np.array([2.0**53, -np.inf]),
    **{
        f"{kind.upper()}{bits}": np.array([limits.min, limits.max], limits.dtype)
        for kind in ("int", "uint")
        for bits in (8, 16, 32, 64)
        if (limits := np.iinfo(f"{kind}{bits}"))
    },
}
"""Extreme values of each datatype that has typed contents."""
FIELDS = {
    **{"BOOL": "bool", "BYTES": "bytes", "FP32": "fp32", "FP64": "fp64"},
    **{"INT8": "int", "INT16": "int", "INT32": "int", "INT64": "int64"},
    **{"UINT8": "uint", "UINT16": "uint", "UINT32": "uint", "UINT64": "uint64"},
}


def echoed(datatype: str) -> str:
    """Returns the name that the signatures `echo` give the tensor of a datatype."""
    names = {"BYTES": "string", "FP16": "float16", "FP32": "float32", "FP64": "float64"}
    return names.get(datatype, "bfloat16" if datatype == "BF16" else datatype.lower())


def test_raw_tensors_of_every_datatype(client: Any) -> None:
    halves = {"FP16": np.array([0.5, 65504], np.float16), "BF16": np.array([0.5, -3], np.float32)}
    for signature, arrays in (("echo", ARRAYS), ("echo_half", halves)):
        inputs = [tensor(echoed(datatype), array, datatype) for datatype, array in arrays.items()]
        result = client.infer(TF2, inputs, parameters={"signature_name": signature})
        for datatype, array in arrays.items():
            received = result.as_numpy(echoed(datatype))
            assert result.get_output(echoed(datatype)).datatype == datatype
            assert received.dtype == array.dtype
            np.testing.assert_array_equal(received, array)


def test_typed_contents_of_every_datatype(stub: Any) -> None:
    request = service_pb2.ModelInferRequest(model_name=TF2)
    request.parameters["signature_name"].string_param = "echo"
    for datatype, array in ARRAYS.items():
        added = request.inputs.add(name=echoed(datatype), datatype=datatype, shape=[2])
        getattr(added.contents, f"{FIELDS[datatype]}_contents").extend(array.tolist())
    response = stub.ModelInfer(request, timeout=30)
    assert not response.raw_output_contents
    outputs = {output.datatype: output for output in response.outputs}
    assert outputs.keys() == ARRAYS.keys()
    for datatype, array in ARRAYS.items():
        received = getattr(outputs[datatype].contents, f"{FIELDS[datatype]}_contents")
        np.testing.assert_array_equal(list(received), array.tolist())


def test_a_signature_can_be_asked_for(client: Any) -> None:
    inputs = [
        tensor("a", np.array([0.5, 1], np.float32), "FP32"),
        tensor("b", np.array([1, 2], np.int32), "INT32"),
    ]
    result = client.infer(TF2, inputs, parameters={"signature_name": "add"})
    assert result.as_numpy("sum").tolist() == [1.5, 3]


def test_an_input_that_has_a_default_may_be_left_out(client: Any) -> None:
    given = tensor("x", np.array([1, 2], np.float32), "FP32")
    result = client.infer(TF2, [given], parameters={"signature_name": "scale"})
    assert result.as_numpy("y").tolist() == [3, 6]


def test_the_classes_of_the_highest_scores(client: Any) -> None:
    wanted = [triton.InferRequestedOutput("y", class_count=5)]
    result = client.infer("half_plus_two", x(2, 4), outputs=wanted)
    assert result.as_numpy("y").tolist() == [[b"4.000000:0"], [b"5.000000:0"]]


@pytest.mark.parametrize(
    ("inputs", "arguments", "code", "words"),
    [
        (x(1), {"model_name": "unknown"}, NOT_FOUND, "Latest(unknown)"),
        (x(1), {"model_version": "9"}, NOT_FOUND, "Specific(half_plus_two_tf2, 9)"),
        (x(1), {"model_version": "9" * 30}, INVALID, "int64"),
        (x(1), {"model_version": "unknown"}, INVALID, "label: unknown"),
        (
            x(1),
            {"parameters": {"signature_name": "unknown"}},
            "StatusCode.FAILED_PRECONDITION",
            'key "unknown" not found',
        ),
        (x(1), {"parameters": {"signature_name": 5}}, INVALID, "expected str"),
        (x(1), {"outputs": [triton.InferRequestedOutput("z")]}, INVALID, "z"),
        (x(1) * 2, {}, INVALID, "['x', 'x'], expected ['x']"),
        ([tensor("z", np.zeros(1, np.float32), "FP32")], {}, INVALID, "['z'], expected ['x']"),
        ([tensor("x", np.zeros(1), "FP64")], {}, INVALID, "'FP64', expected 'FP32'"),
        ([], {"parameters": {"signature_name": "add"}}, INVALID, "Missing but required: {a,b}"),
    ],
)
def test_what_is_refused(
    client: Any, inputs: list[Any], arguments: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(InferenceServerException) as refused:
        client.infer(**{"model_name": TF2, "inputs": inputs, **arguments})
    assert refused.value.status() == code
    assert words in refused.value.message()


def test_other_than_as_many_values_are_refused(stub: Any) -> None:
    request = typed_request(1, 2)
    request.inputs[0].shape[:] = [3, 1]
    with pytest.raises(grpc.RpcError, match="2 typed values, expected 3"):
        stub.ModelInfer(request, timeout=30)
    request.raw_input_contents.extend([bytes(4), bytes(4)])
    with pytest.raises(grpc.RpcError, match="2 raw_input_contents for 1 inputs"):
        stub.ModelInfer(request, timeout=30)


def test_a_refusal_is_counted_as_one(client: Any, contract: Any) -> None:
    sample = ':tensorflow:serving:request_count{model_name="half_plus_two",status="%s"}'
    with pytest.raises(InferenceServerException, match="expected 'FP32'"):
        client.infer("half_plus_two", [tensor("x", np.zeros(1), "FP64")])
    page = requests.get(f"http://{contract.rest}/monitoring/prometheus/metrics", timeout=20).text
    assert sample % "INVALID_ARGUMENT" in page
    assert sample % "INTERNAL" not in page


def test_shared_memory_is_refused(client: Any) -> None:
    given = triton.InferInput("x", [1, 1], "FP32").set_shared_memory("region", 4)
    with pytest.raises(InferenceServerException, match="shared_memory_region"):
        client.infer(TF2, [given])
    wanted = triton.InferRequestedOutput("y")
    wanted.set_shared_memory("region", 4)
    with pytest.raises(InferenceServerException, match="shared_memory_region"):
        client.infer(TF2, x(1), outputs=[wanted])


def test_other_calls_of_triton_are_unimplemented(stub: Any) -> None:
    for call, request in (
        (stub.ModelStatistics, service_pb2.ModelStatisticsRequest(name=TF2)),
        (stub.ModelConfig, service_pb2.ModelConfigRequest(name=TF2)),
        (stub.SystemSharedMemoryStatus, service_pb2.SystemSharedMemoryStatusRequest()),
        (lambda request, timeout: list(stub.ModelStreamInfer(request, timeout)), iter(())),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            call(request, timeout=30)
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_the_requests_of_a_sequence_are_answered_one_by_one(client: Any) -> None:
    for value in (2, 4):
        arguments = {"sequence_id": 7, "sequence_start": value == 2, "sequence_end": value == 4}
        result = client.infer("half_plus_two", x(value), **arguments)
        assert result.as_numpy("y").tolist() == [[value / 2 + 3]]


def test_the_model_repository_extension_is_off(client: Any) -> None:
    for call in (
        client.get_model_repository_index,
        lambda: client.load_model(TF2),
        lambda: client.unload_model(TF2),
    ):
        with pytest.raises(InferenceServerException, match="--model_control_mode=explicit") as off:
            call()
        assert off.value.status() == "StatusCode.UNIMPLEMENTED"


def test_a_deadline(client: Any) -> None:
    steps = [tensor("steps", np.array([200_000]), "INT64")]
    with pytest.raises(InferenceServerException, match="Deadline Exceeded"):
        client.infer(TF2, steps, parameters={"signature_name": "count"}, client_timeout=0.2)


def test_reflection(channel: grpc.Channel) -> None:
    database = ProtoReflectionDescriptorDatabase(channel)
    assert "inference.GRPCInferenceService" in database.get_services()
    service = DescriptorPool(database).FindServiceByName("inference.GRPCInferenceService")
    infer = service.methods_by_name["ModelInfer"]
    assert infer.input_type.fields_by_name["raw_input_contents"].number == 7
