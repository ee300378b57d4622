"""The requests of the benchmarks: an image classifier on the samples of the gateway."""

from __future__ import annotations

import json
import struct
from itertools import cycle, islice
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
import requests
from PIL import Image

from benchmarks.in_process import Arrays, InProcessModel
from benchmarks.load import GrpcRequest, HttpRequest, LoadError
from services.serving_api.protos import predict_pb2, prediction_service_pb2_grpc
from services.serving_api.tensors import to_ndarray, to_tensor_proto
from tests.processes import SAMPLES

FILES = sorted(SAMPLES.glob("*.png"))
PREDICT = "/v1/models/cnn:predict"
_METHOD = "/tensorflow.serving.PredictionService/Predict"
_PREFIX = struct.Struct(">BI")


def samples(count: int, shape: tuple[int, int, int] = (28, 28, 1)) -> npt.NDArray[np.float32]:
    """Returns images of the samples, one after the other.

    Args:
        count: number of images.
        shape: height, width and channels.
    """
    height, width, channels = shape
    mode = "L" if channels == 1 else "RGB"
    files = islice(cycle(FILES), count)
    images = [Image.open(file).convert(mode).resize((width, height)) for file in files]
    return np.stack([np.asarray(image, np.float32).reshape(shape) for image in images])


def png_request(url: str, model: InProcessModel) -> HttpRequest:
    """Returns a request with a sample as a PNG file.

    Raises:
        LoadError: the answer is not that of the model.
    """
    label = _label(model.predict(samples(1)))
    request = HttpRequest(url, FILES[0].read_bytes(), "image/png", label)
    _check(request, 1)
    return request


def json_request(url: str, model: InProcessModel, batch: int = 1) -> HttpRequest:
    """Returns a request with samples as TensorFlow Serving's JSON.

    Raises:
        LoadError: the answer is not that of the model.
    """
    images = samples(batch)
    content = json.dumps({"instances": images.astype(int).tolist()}).encode()
    request = HttpRequest(url, content, "application/json", _label(model.predict(images)))
    _check(request, batch)
    return request


def grpc_request(port: int, model: InProcessModel, batch: int = 1) -> GrpcRequest:
    """Returns a Predict request with samples as a tensor.

    Raises:
        LoadError: the answer is not that of the model.
    """
    images = samples(batch, model.image_shape)
    message = predict_pb2.PredictRequest()
    message.model_spec.name = model.name
    message.inputs["images"].CopyFrom(to_tensor_proto(images))
    address = f"127.0.0.1:{port}"
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = stub.Predict(message, timeout=30)
    received, expected = to_ndarray(answer.outputs["probabilities"]), model.predict(images)
    if not np.allclose(received, expected["probabilities"], rtol=1e-3, atol=1e-4):
        raise LoadError(f"{address}: received {received}, expected {expected['probabilities']}")
    content = message.SerializeToString()
    return GrpcRequest(
        f"http://{address}{_METHOD}",
        _PREFIX.pack(0, len(content)) + content,
        _PREFIX.size + answer.ByteSize(),
    )


def _label(outputs: Arrays) -> str:
    return str(outputs["label"][0].decode())


def _check(request: HttpRequest, batch: int) -> None:
    headers = {"Content-Type": request.content_type}
    answer = requests.post(request.url, request.content, headers=headers, timeout=30)
    predictions: list[dict[str, Any]] = answer.json().get("predictions", []) if answer.ok else []
    if len(predictions) != batch or predictions[0]["label"] != request.label:
        raise LoadError(
            f"{request.url}: received {answer.status_code} {answer.text[:300]}, expected {batch} "
            f"predictions, the first with the label {request.label!r}"
        )
