"""Mutated requests of every call: `python -m tests.hostile.mutation 20000 [--seed N]`.

Each is a valid request of which bytes, numbers, shapes or words were changed. None may be answered
by a 5xx but an honest 503, and both processes outlive them all. The same seed makes the same ones.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from services.model_server.grpc_api.open_inference_proto import SERVICE, messages
from services.serving_api.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)
from services.serving_api.tensors import to_tensor_proto
from tests.hostile.engine import predicts
from tests.hostile.inputs import container, multipart, part
from tests.hostile.requests import CLOSED, MODELS, PREDICTION, Grpc, Http, Request, Status
from tests.hostile.surfaces import JSON_TYPE, MULTIPART, TENSORS, URL_ENCODED
from tests.processes import SAMPLES
from tests.stack import COMMITTED, Stack, started

PNG = (SAMPLES / "bag.png").read_bytes()
IMAGE = {"Content-Type": "image/png"}
HONEST: frozenset[Status] = frozenset({503, "UNAVAILABLE", "RESOURCE_EXHAUSTED"})
"""What says that a server is busy."""

INFERENCE = SERVICE.full_name
_MESSAGES = {
    f"{PREDICTION}/Predict": predict_pb2.PredictRequest,
    f"{PREDICTION}/Classify": classification_pb2.ClassificationRequest,
    f"{PREDICTION}/Regress": regression_pb2.RegressionRequest,
    f"{PREDICTION}/MultiInference": inference_pb2.MultiInferenceRequest,
    f"{PREDICTION}/GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    f"{MODELS}/GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
    f"{INFERENCE}/ModelInfer": messages.ModelInferRequest,
    f"{INFERENCE}/ModelMetadata": messages.ModelMetadataRequest,
}

_ODD_NUMBERS = (0, -1, 1, 2, 255, 2**31 - 1, -(2**31), 2**32, 2**63 - 1, -(2**63), 2**64, 1e39, 0.5)
_ODD_VALUES = (None, True, "", "a", "\0", "\ud83d\ude00", [], {}, [[]], [None], {"b64": "AA=="})
_ODD_SHAPES = ((), (0,), (1,), (3,), (28, 28), (1, 28, 28), (0, 28, 28, 1), (1, 0, 28, 1))
_ODD_SHAPES += ((1, 28, 28, 3), (2, 27, 28, 1), (1, 1, 1, 1, 1), (1,) * 9, (2, 28, 28, 1))


def valid_requests() -> list[Request]:
    """Return one request of every call on every surface."""
    image = np.frombuffer(PNG[:784].ljust(784, b"\0"), np.uint8).astype("f4").reshape(1, 28, 28, 1)
    tensors: list[tuple[str, str, dict[str, Any]]] = [
        ("cnn", "serving_default", {"images": image}),
        ("cnn", "activations", {"images": image}),
        ("cnn", "class_labels", {"class_index": np.array([9, 0], "i4")}),
        ("cnn", "predict_bytes", {"image_bytes": np.array([PNG], object)}),
        ("cnn", "saliency_gradient", {"images": image, "class_index": np.array([-1], "i4")}),
        ("codec", "compress", {"images": image}),
        ("codec", "decompress", {"code": np.zeros((1, 32), "u1")}),
        ("vae", "generate", {"seed": np.array([1], "i8"), "temperature": np.array([1], "f4")}),
        ("vae_conv", "decode_latent", {"latent": np.zeros((1, 20), "f4")}),
        ("gru", "serving_default", {"images": image}),
    ]
    return [
        *[surface(*each) for each in tensors for surface in TENSORS.values()],
        *_gateway_requests(image),
        *_model_server_requests(),
    ]


def _gateway_requests(image: Any) -> list[Request]:
    def http(path: str, body: bytes = b"", headers: dict[str, str] = IMAGE, **more: Any) -> Http:
        return Http("gateway", path, body, headers, **more)

    cnn, codec, vae = "/v1/models/cnn", "/v1/models/codec", "/v1/models/vae"
    form = multipart(part(content=PNG), part("top", b"2", None))
    instances = json.dumps({"instances": image.tolist()}).encode()
    examples = json.dumps({"examples": [{"x": 1.0, "b": {"b64": "AA=="}}]}).encode()
    documents = {
        f"{vae}:generate": {"count": 2, "seed": 7, "temperature": 1.0},
        f"{vae}:generate?": {"latent": [[0.0] * 20]},
        f"{cnn}:visualize": {"layer": "conv1", "channels": [0, 1], "seed": 1},
        f"{codec}:decompress": {
            "model": {"name": "codec", "version": "1"},
            "image_shape": [28, 28, 1],
            "dtype": "uint8",
            "codes": [[0] * 32],
        },
    }
    return [
        http(f"{cnn}:predict?top=2&invert=true", PNG),
        http(f"{cnn}:predict", form, MULTIPART),
        http(f"{cnn}:predict", instances, JSON_TYPE).zipped(),
        http(f"{cnn}/versions/1:saliency?method=gradient&class_index=4", PNG),
        http(f"{cnn}:explain", PNG, {**IMAGE, "Accept": "application/json"}),
        http(f"{cnn}:activations?layer=conv2", PNG),
        http(f"{cnn}:classify", examples, JSON_TYPE),
        http(f"{cnn}:regress", examples, JSON_TYPE),
        http(f"{codec}:compress", PNG),
        http(f"{codec}:decompress", container(), {"Content-Type": "application/vnd.lectern.code"}),
        http(f"{vae}:generate", b"count=2&seed=7&temperature=0.5", URL_ENCODED),
        http(f"{vae}:generate", b"seed=1&to_seed=2&steps=3", URL_ENCODED),
        *[http(path, json.dumps(each).encode(), JSON_TYPE) for path, each in documents.items()],
        *[
            http(path, method="GET")
            for path in (
                *("/v1/models", cnn, f"{cnn}/metadata", f"{cnn}/card", f"{cnn}/labels/stable"),
                *("/v2", "/v2/models/cnn", "/v2/models/cnn/versions/1/ready", "/openapi.json", "/"),
            )
        ],
    ]


def _model_server_requests() -> list[Request]:
    spec = {"name": "cnn", "version": {"value": 1}}
    example = {"features": {"feature": {"x": {"float_list": {"value": [1.0]}}}}}
    examples = {"example_list": {"examples": [example]}}
    task = {"model_spec": spec, "method_name": "tensorflow/serving/classify"}
    fields: dict[str, dict[str, Any]] = {
        f"{PREDICTION}/Classify": {"model_spec": spec, "input": examples},
        f"{PREDICTION}/Regress": {"model_spec": spec, "input": examples},
        f"{PREDICTION}/MultiInference": {"tasks": [task], "input": examples},
        f"{PREDICTION}/GetModelMetadata": {
            "model_spec": spec,
            "metadata_field": ["signature_def"],
        },
        f"{MODELS}/GetModelStatus": {"model_spec": spec},
        f"{INFERENCE}/ModelInfer": {
            "model_name": "cnn",
            "inputs": [{"name": "images", "datatype": "FP32", "shape": [1, 28, 28, 1]}],
            "raw_input_contents": [bytes(4 * 784)],
        },
        f"{INFERENCE}/ModelMetadata": {"name": "cnn", "version": "1"},
    }
    body = json.dumps({"examples": [{"x": 1.0}]}).encode()
    return [
        *[
            Grpc(method, _MESSAGES[method](**each).SerializeToString())
            for method, each in fields.items()
        ],
        Http("rest", "/v1/models/cnn:classify", body, JSON_TYPE),
        Http("rest", "/v1/models/cnn:regress", body, JSON_TYPE),
        Http("rest", "/v1/models/cnn/versions/1", method="GET"),
        Http("rest", "/v1/models/cnn/metadata", method="GET"),
    ]


class Mutator:
    """Makes mutated requests; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._valid = valid_requests()

    def request(self) -> Request:
        chosen = self._random.choice(self._valid)
        if isinstance(chosen, Grpc):
            return replace(chosen, message=self._message(chosen))
        return self._http(chosen)

    def _message(self, call: Grpc) -> bytes:
        is_predict = call.method.endswith("/Predict")
        return (
            self._tensors(call.message)
            if is_predict and self._often()
            else self._bytes(call.message)
        )

    def _tensors(self, message: bytes) -> bytes:
        """Change the shape, the dtype or the values of one input, or what is asked for."""
        request = predict_pb2.PredictRequest.FromString(message)
        proto = request.inputs[self._random.choice(sorted(request.inputs))]
        match self._random.randrange(6):
            case 0:
                proto.CopyFrom(to_tensor_proto(self._array(proto.dtype)))
            case 1:
                proto.dtype = self._random.randrange(140)
            case 2:
                proto.tensor_shape.dim.add(size=self._random.choice([0, 1, 2, -1, 2**40, 2**62]))
            case 3 if proto.tensor_shape.dim:
                dim = self._random.choice(proto.tensor_shape.dim)
                dim.size = self._random.choice([0, 1, 2, 3, 27, -1, 2**31, 2**62])
            case 4:
                request.output_filter.append(self._random.choice(["logits", "", "a", "images"]))
            case _:
                proto.tensor_content = self._bytes(proto.tensor_content)
        return request.SerializeToString()

    def _array(self, data_type: int) -> Any:
        dtype = {1: "f4", 3: "i4", 4: "u1", 9: "i8", 7: object}.get(data_type, "f4")
        value = b"a" if dtype is object else self._random.choice([0, 1, 100])
        return np.full(self._random.choice(_ODD_SHAPES), value, dtype)

    def _http(self, request: Http) -> Http:
        match self._random.randrange(8):
            case 0:
                return replace(request, path=self._path(request.path))
            case 1:
                return replace(request, headers={**request.headers, **self._header()})
            case 2 if request.body:
                return replace(request, body=b"")
            case _ if request.body[:1] == b"{" and self._often():
                return replace(request, body=self._json(request.body))
            case _:
                return replace(request, body=self._bytes(request.body))

    def _path(self, path: str) -> str:
        odd = [":", "/", "?", "%00", "%ff", "..", "versions/", "labels/", "9" * 30, "&top=", "a"]
        position = self._random.randrange(1, len(path) + 1)
        cut = self._random.choice([0, 0, 1, 3])
        return path[:position] + self._random.choice(odd) + path[position + cut :]

    def _header(self) -> dict[str, str]:
        names = ("Content-Type", "Accept", "Content-Encoding", "Grpc-Timeout", "X-Request-Id")
        names += ("Inference-Header-Content-Length", "traceparent", "Accept-Encoding", "Range")
        values = (
            "",
            "gzip",
            "application/json",
            "image/png",
            "0",
            "-1",
            "9" * 30,
            "*/*",
            "\xff",
            "1S",
        )
        return {self._random.choice(names): self._random.choice(values)}

    def _json(self, body: bytes) -> bytes:
        try:
            document = json.loads(body)
        except ValueError:  # Raw tensors follow it.
            return self._bytes(body)
        return json.dumps(self._value(document)).encode()

    def _value(self, value: Any) -> Any:
        """Change something in a JSON value, the deeper the likelier."""
        if self._random.random() < 0.15 or not value or not isinstance(value, dict | list):
            return self._random.choice([*_ODD_NUMBERS, *_ODD_VALUES, [value], [value, value]])
        if isinstance(value, dict):
            key = self._random.choice(sorted(value))
            changed = {self._random.choice([key, key, key, "a", ""]): self._value(value[key])}
            return {name: each for name, each in value.items() if name != key} | changed
        index = self._random.randrange(len(value))
        changed = self._random.choice(
            [[], [self._value(value[index])], [self._value(value[index])]]
        )
        return value[:index] + changed + value[index + 1 :]

    def _bytes(self, content: bytes) -> bytes:
        """Change, insert, remove or repeat a few bytes."""
        changed = bytearray(content)
        for _ in range(self._random.choice([1, 1, 2, 8, 64])):
            position = self._random.randrange(len(changed) + 1)
            length = self._random.choice([0, 1, 1, 4, 100])
            kinds: list[Callable[[], bytes]] = [
                lambda length=length: self._random.randbytes(length),
                lambda: self._random.choice(
                    [b"\0", b"\xff", b"\x7f\xff\xff\xff", b"-1", b"9" * 20]
                ),
                lambda position=position, length=length: (
                    bytes(changed[position : position + length]) * 2
                ),
            ]
            changed[position : position + length] = self._random.choice(kinds)()
        return bytes(changed)

    def _often(self) -> bool:
        return self._random.random() < 0.7


def send_mutated(stack: Stack, count: int, seed: int) -> Counter[Status]:
    """Send so many mutated requests, and return how often each status answered.

    Raises:
        AssertionError: a server's error, or a process that ended; it holds the request.
    """
    mutator = Mutator(seed)
    counts: Counter[Status] = Counter()
    for number in range(count):
        request = mutator.request()
        status = request.send(stack)
        counts[status] += 1
        assert stack.is_intact(), ("a process ended", seed, number, request)
        assert _is_honest(request, status), (status, seed, number, request)
        if number % 100 == 0:
            predicts(stack)
    predicts(stack)
    return counts


def _is_honest(request: Request, status: Status) -> bool:
    if status in HONEST:
        return True
    if isinstance(status, int):
        return status < 500 or (status == 501 and request.method not in {"GET", "POST"})
    if isinstance(request, Grpc):
        # gRPC's own answer to what is no message.
        internal = set() if _is_message(request) else {"INTERNAL"}
        # TensorFlow Serving's answer to a task whose method_name is neither of the two.
        unknown = {"UNIMPLEMENTED"} if request.method.endswith("MultiInference") else set()
        usual = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}
        return status in usual | internal | unknown
    return status == CLOSED


def _is_message(call: Grpc) -> bool:
    try:
        _MESSAGES[call.method].FromString(call.message)
    except DecodeError:
        return False
    return True


def main() -> None:
    """Send so many, print the statuses; an error ends the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", type=int, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="decides what is sent")
    arguments = parser.parse_args()
    settings = {"LECTERN_TIMEOUT_SECONDS": "30"}
    with started(COMMITTED, settings, ["--enable_model_warmup=false"]) as stack:
        start = time.monotonic()
        counts = send_mutated(stack, arguments.requests, arguments.seed)
        print(f"{time.monotonic() - start:.0f} s", *counts.most_common(), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
