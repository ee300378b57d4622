"""Where something can be sent: each surface makes a request of the kind of input that it takes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from services.serving_api.protos import get_model_metadata_pb2, predict_pb2
from services.serving_api.signatures import Signature, signatures_of
from services.serving_api.tensors import to_tensor_proto
from tests.hostile.inputs import BOUNDARY
from tests.hostile.requests import PREDICTION, Grpc, Http
from tests.stack import Stack

JSON_TYPE = {"Content-Type": "application/json"}
URL_ENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

Arrays = Mapping[str, npt.NDArray[Any]]
JsonSurface = Callable[[bytes], Http]


def document(path: str, before: bytes, after: bytes, service: str = "gateway") -> JsonSurface:
    """Return a surface that puts a JSON value into a document."""
    return lambda value: Http(service, path, before + value + after, JSON_TYPE)


def signature(name: str, key: str = "instances", service: str = "gateway") -> JsonSurface:
    """Return the surface of a signature of `cnn` in TensorFlow Serving's JSON."""
    before = b'{"signature_name":"%s","%s":' % (name.encode(), key.encode())
    return document("/v1/models/cnn:predict", before, b"}", service)


def v2(name: str, tensor: str, datatype: str) -> JsonSurface:
    """Return the surface of a signature of `cnn` in the Open Inference Protocol's JSON."""
    before = (
        f'{{"parameters":{{"signature_name":"{name}"}},"inputs":[{{"name":"{tensor}",'
        f'"shape":[1],"datatype":"{datatype}","data":'
    )
    return document("/v2/models/cnn/infer", before.encode(), b"}]}")


PREDICT_JSON: dict[str, JsonSurface] = {
    "gateway, floats": signature("serving_default"),
    "gateway, floats by columns": signature("serving_default", "inputs"),
    "gateway, strings": signature("predict_bytes"),
    "gateway, integers": signature("class_labels"),
    "gateway, two inputs": signature("saliency_gradient", "inputs"),
    "v2, floats": v2("serving_default", "images", "FP32"),
    "v2, strings": v2("predict_bytes", "image_bytes", "BYTES"),
    "v2, integers": v2("class_labels", "class_index", "INT32"),
    "REST, floats": signature("serving_default", service="rest"),
    "REST, strings": signature("predict_bytes", service="rest"),
    "REST, integers": signature("class_labels", service="rest"),
}
"""Where a JSON value stands in a tensor's place."""

_CLASSIFY = "/v1/models/half_plus_two:classify", b'{"signature_name":"classify_x_to_y","examples":'
EXAMPLES_JSON: dict[str, JsonSurface] = {
    "gateway, examples": document(*_CLASSIFY, b"}"),
    "REST, examples": document(*_CLASSIFY, b"}", "rest"),
}
"""Where it stands in the examples' place."""

TASKS_JSON: dict[str, JsonSurface] = {
    "generate, latent": document("/v1/models/vae:generate", b'{"latent":', b"}"),
    "generate, count": document("/v1/models/vae:generate", b'{"count":', b"}"),
    "visualize, channels": document("/v1/models/cnn:visualize", b'{"channels":', b"}"),
    "visualize, layer": document("/v1/models/cnn:visualize", b'{"layer":', b"}"),
    "saliency, instances": document("/v1/models/cnn:saliency", b'{"instances":', b"}"),
    "activations, instances": document("/v1/models/cnn:activations", b'{"instances":', b"}"),
    "compress, instances": document("/v1/models/codec:compress", b'{"instances":', b"}"),
    "decompress, codes": document(
        "/v1/models/codec:decompress",
        b'{"model":{"name":"codec","version":"1"},"image_shape":[28,28,1],"dtype":"uint8","codes":',
        b"}",
    ),
    "decompress, shape": document(
        "/v1/models/codec:decompress",
        b'{"model":{"name":"codec","version":"1"},"codes":[[1]],"dtype":"uint8","image_shape":',
        b"}",
    ),
    "a document": document("/v1/models/cnn:predict", b"", b""),
    "a document of v2": document("/v2/models/cnn/infer", b"", b""),
    "a shape of v2": document(
        "/v2/models/cnn/infer",
        b'{"inputs":[{"name":"images","datatype":"FP32","data":[],"shape":',
        b"}]}",
    ),
    "the outputs of v2": document(
        "/v2/models/cnn/infer",
        b'{"inputs":[{"name":"images","datatype":"FP32","data":[1],"shape":[1]}],"outputs":',
        b"}",
    ),
    "the inputs of v2": document("/v2/models/cnn/infer", b'{"inputs":', b"}"),
}
"""Where it is a parameter of a task, or an envelope."""

ANY_JSON = PREDICT_JSON | EXAMPLES_JSON | TASKS_JSON


# Tensors: a model, a signature and its inputs.

TensorSurface = Callable[[str, str, Arrays], Http | Grpc]


def _listed(array: npt.NDArray[Any]) -> Any:
    if array.dtype.kind == "O":
        coded = np.frompyfunc(lambda value: {"b64": base64.b64encode(value).decode()}, 1, 1)
        return np.asarray(coded(array), object).tolist()
    return array.tolist()


def _predict_body(name: str, arrays: Arrays) -> bytes:
    inputs = {key: _listed(array) for key, array in arrays.items()}
    return json.dumps({"signature_name": name, "inputs": inputs}).encode()


def gateway_json(model: str, name: str, arrays: Arrays) -> Http:
    path = f"/v1/models/{model}:predict"
    return Http("gateway", path, _predict_body(name, arrays), JSON_TYPE)


def rest_json(model: str, name: str, arrays: Arrays) -> Http:
    return Http("rest", f"/v1/models/{model}:predict", _predict_body(name, arrays), JSON_TYPE)


_DATATYPES = {"f4": "FP32", "f8": "FP64", "i4": "INT32", "i8": "INT64", "u1": "UINT8"}


def _v2_raw(array: npt.NDArray[Any]) -> bytes:
    if array.dtype.kind == "O":
        values = array.ravel().tolist()
        return b"".join(len(value).to_bytes(4, "little") + value for value in values)
    return array.tobytes()


def v2_binary(model: str, name: str, arrays: Arrays) -> Http:
    raw = {key: _v2_raw(array) for key, array in arrays.items()}
    inputs = [
        {
            "name": key,
            "shape": array.shape,
            "datatype": _DATATYPES.get(array.dtype.str[1:], "BYTES"),
            "parameters": {"binary_data_size": len(raw[key])},
        }
        for key, array in arrays.items()
    ]
    head = json.dumps({"parameters": {"signature_name": name}, "inputs": inputs}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    path = f"/v2/models/{model}/infer"
    return Http("gateway", path, head + b"".join(raw.values()), headers)


def grpc_predict(model: str, name: str, arrays: Arrays) -> Grpc:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = name
    for key, array in arrays.items():
        request.inputs[key].CopyFrom(to_tensor_proto(array))
    return Grpc(f"{PREDICTION}/Predict", request.SerializeToString())


TENSORS: dict[str, TensorSurface] = {
    "gateway": gateway_json,
    "v2": v2_binary,
    "REST": rest_json,
    "gRPC": grpc_predict,
}


# Bodies that the gateway takes as they are.


def form(path: str) -> Callable[[bytes], Http]:
    return lambda content: Http("gateway", path, content, MULTIPART)


def url_encoded(path: str) -> Callable[[bytes], Http]:
    return lambda content: Http("gateway", path, content, URL_ENCODED)


def file(path: str, media_type: str) -> Callable[[bytes], Http]:
    return lambda content: Http("gateway", path, content, {"Content-Type": media_type})


def signatures(stack: Stack, model: str) -> dict[str, Signature]:
    """Return what a model says of its signatures."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model
    call = Grpc(f"{PREDICTION}/GetModelMetadata", request.SerializeToString())
    response = get_model_metadata_pb2.GetModelMetadataResponse.FromString(call.answer(stack))
    return signatures_of(response)
