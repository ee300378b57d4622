"""The requests that are sent under load, and the right answers to them."""

from __future__ import annotations

import http.client
import json
import struct
from dataclasses import dataclass

import grpc
import numpy as np

from services.serving_api.protos import predict_pb2, prediction_service_pb2_grpc
from services.serving_api.tensors import to_ndarray, to_tensor_proto

METHOD = "/tensorflow.serving.PredictionService/Predict"
_PREFIX = ">BI"


@dataclass(frozen=True)
class Call:
    """One prepared request.

    Attributes:
        url: where it goes.
        body: what the load generator sends.
        answer_bytes: what each right answer takes on the wire.
    """

    url: str
    body: bytes
    answer_bytes: int


def grpc_call(port: int, images: np.ndarray, expected: dict[str, np.ndarray]) -> Call:
    """Prepare a Predict and check that it is answered as the session answers.

    Raises:
        AssertionError: it is not.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "cnn"
    request.inputs["images"].CopyFrom(to_tensor_proto(images))
    address = f"127.0.0.1:{port}"
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        response = stub.Predict(request, timeout=30)
    _compare({name: to_ndarray(proto) for name, proto in response.outputs.items()}, expected)
    message = request.SerializeToString()
    prefix = struct.pack(_PREFIX, 0, len(message))
    answer = struct.calcsize(_PREFIX) + response.ByteSize()
    return Call(f"http://{address}{METHOD}", prefix + message, answer)


def rest_call(port: int, images: np.ndarray, expected: dict[str, np.ndarray]) -> Call:
    """Prepare a JSON predict and check that it is answered as the session answers.

    Raises:
        AssertionError: it is not.
    """
    body = json.dumps({"instances": images.tolist()}).encode()
    path = "/v1/models/cnn:predict"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    rows = json.loads(content)["predictions"]
    _compare({name: np.array([row[name] for row in rows]) for name in rows[0]}, expected)
    head = "".join(f"{name}: {value}\r\n" for name, value in response.getheaders())
    answer = len(f"HTTP/1.1 200 OK\r\n{head}\r\n") + len(content)
    return Call(f"http://127.0.0.1:{port}{path}", body, answer)


def _compare(received: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert received.keys() == expected.keys(), f"{received.keys()} != {expected.keys()}"
    for name, array in expected.items():
        if array.dtype.kind == "f":
            np.testing.assert_allclose(received[name], array, rtol=1e-3, atol=1e-4)
        else:
            assert [_text(item) for item in received[name]] == [_text(item) for item in array]


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
