"""A model server without TensorFlow: real gRPC, models of a few lines of numpy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np

from services.serving_api.dtypes import data_type_of
from services.serving_api.protos import (
    classification_pb2,
    error_codes_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)
from services.serving_api.tensors import to_ndarray, to_tensor_proto

AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE
LOADING = get_model_status_pb2.ModelVersionStatus.LOADING

LABELS = [b"zero", b"one", b"two"]
# One column a class; a linear model's gradient is its weights, which makes an oracle of them.
WEIGHTS = np.random.default_rng(7).normal(0, 0.01, (28 * 28, len(LABELS))).astype(np.float32)

Arrays = Mapping[str, np.ndarray]
Specs = Mapping[str, tuple[type, Sequence[int]]]


@dataclass(frozen=True)
class FakeSignature:
    """A function with the dtype and shape (-1: any size) of each input and output.

    Requests may leave out the inputs in `defaults`.
    """

    function: Callable[[Arrays], Arrays]
    inputs: Specs
    outputs: Specs
    method_name: str = "tensorflow/serving/predict"
    defaults: Arrays = field(default_factory=dict)


@dataclass
class FakeVersion:
    signatures: Mapping[str, FakeSignature]
    state: int = AVAILABLE


def classification(logits: np.ndarray, labels: Sequence[bytes]) -> Arrays:
    """The answer of a classifier, from its logits [N, K] and the names of its classes."""
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    class_index = logits.argmax(1).astype(np.int32)
    return {
        "probabilities": exponentials / exponentials.sum(1, keepdims=True),
        "logits": logits,
        "class_index": class_index,
        "label": np.array([labels[index] for index in class_index], object),
    }


def classify(inputs: Arrays) -> Arrays:
    images = inputs["images"]
    return classification(images.reshape(len(images), -1) @ WEIGHTS, LABELS)


def explain(inputs: Arrays) -> Arrays:
    top = classify(inputs)["class_index"]
    asked = inputs["class_index"]
    class_index = np.where(asked == -1, top, asked)
    attribution = WEIGHTS.T[class_index].reshape(-1, 28, 28)
    return {"attribution": attribution, "class_index": class_index}


IMAGES: Specs = {"images": (np.float32, (-1, 28, 28, 1))}
CLASSIFIER = {
    "serving_default": FakeSignature(
        classify,
        IMAGES,
        {
            "probabilities": (np.float32, (-1, len(LABELS))),
            "logits": (np.float32, (-1, len(LABELS))),
            "class_index": (np.int32, (-1,)),
            "label": (np.object_, (-1,)),
        },
    ),
    "saliency_gradient": FakeSignature(
        explain,
        {**IMAGES, "class_index": (np.int32, (-1,))},
        {"attribution": (np.float32, (-1, 28, 28)), "class_index": (np.int32, (-1,))},
    ),
    "class_labels": FakeSignature(
        lambda inputs: {"label": np.array(LABELS, object)[inputs["class_index"]]},
        {"class_index": (np.int32, (-1,))},
        {"label": (np.object_, (-1,))},
    ),
}
# As `model.export()` of Keras writes a classifier.
PLAIN_CLASSIFIER = {
    "serving_default": FakeSignature(
        lambda inputs: {"output_0": classify({"images": inputs["keras_tensor"]})["probabilities"]},
        {"keras_tensor": (np.float32, (-1, 28, 28, 1))},
        {"output_0": (np.float32, (-1, len(LABELS)))},
    )
}
HALF_PLUS_TWO = {
    "serving_default": FakeSignature(
        lambda inputs: {"y": inputs["x"] / 2 + 2},
        {"x": (np.float32, (-1,))},
        {"y": (np.float32, (-1,))},
    )
}


def quadrants(values: np.ndarray) -> np.ndarray:
    """From numbers [N, 4] to images [N, 28, 28, 1], each number a quadrant."""
    blocks = values.reshape(-1, 2, 2, 1).astype(np.float32)
    return blocks.repeat(14, axis=1).repeat(14, axis=2)


def quadrant_means(images: np.ndarray) -> np.ndarray:
    return images.reshape(-1, 2, 14, 2, 14).mean((2, 4)).reshape(-1, 4)


def decode_latent(latent: np.ndarray) -> np.ndarray:
    return quadrants(128 + 20 * latent)


def generate(inputs: Arrays) -> Arrays:
    noise = [np.random.default_rng(abs(int(seed))).normal(size=4) for seed in inputs["seed"]]
    latent = (inputs["temperature"][:, np.newaxis] * np.stack(noise)).astype(np.float32)
    return {"images": decode_latent(latent), "latent": latent}


LATENT: Specs = {"latent": (np.float32, (-1, 4))}
GENERATOR = {
    "generate": FakeSignature(
        generate,
        {"seed": (np.int64, (-1,)), "temperature": (np.float32, (-1,))},
        {**IMAGES, **LATENT},
    ),
    "decode_latent": FakeSignature(
        lambda inputs: {"images": decode_latent(inputs["latent"])}, LATENT, IMAGES
    ),
    "encode_latent": FakeSignature(
        lambda inputs: {
            "mean": ((quadrant_means(inputs["images"]) - 128) / 20).astype(np.float32),
            "log_variance": np.zeros((len(inputs["images"]), 4), np.float32),
        },
        IMAGES,
        {"mean": (np.float32, (-1, 4)), "log_variance": (np.float32, (-1, 4))},
    ),
}


def continue_text(inputs: Arrays) -> Arrays:
    """Tells in each row's text what the row was."""
    rows = zip(inputs["prompt"], inputs["seed"], inputs["temperature"], strict=True)
    texts = [
        f" ‹{len(prompt.decode())} letters, seed {seed}, {temperature:.1f}°›".encode()
        for prompt, seed, temperature in rows
    ]
    return {"text": np.array(texts, object)}


WRITER = {
    "generate_text": FakeSignature(
        continue_text,
        {
            "prompt": (np.object_, (-1,)),
            "seed": (np.int64, (-1,)),
            "temperature": (np.float32, (-1,)),
        },
        {"text": (np.object_, (-1,))},
    )
}
NEIGHBOURS = {
    b"king": [b"queen", b"prince"],
    b"water": [b"river", b"sea"],
}
WORDS = {
    "nearest_words": FakeSignature(
        lambda inputs: {
            "words": np.array([NEIGHBOURS[word] for word in inputs["word"]], object),
            "similarity": np.tile(np.array([0.75, 0.5], np.float32), (len(inputs["word"]), 1)),
        },
        {"word": (np.object_, (-1,))},
        {"words": (np.object_, (-1, 2)), "similarity": (np.float32, (-1, 2))},
    )
}
CODE: Specs = {"code": (np.uint8, (-1, 4))}
CODEC = {
    "compress": FakeSignature(
        lambda inputs: {"code": quadrant_means(inputs["images"]).round().astype(np.uint8)},
        IMAGES,
        CODE,
    ),
    "decompress": FakeSignature(lambda inputs: {"images": quadrants(inputs["code"])}, CODE, IMAGES),
}


def visualize(inputs: Arrays) -> Arrays:
    channel, seed = inputs["channel"], inputs["seed"]
    images = np.full((len(channel), 28, 28, 1), 10, np.float32) * channel.reshape(-1, 1, 1, 1)
    return {"images": images, "activation": (channel + seed).astype(np.float32)}


VISUALIZATION = FakeSignature(
    visualize,
    {"channel": (np.int32, (-1,)), "seed": (np.int32, (-1,))},
    {**IMAGES, "activation": (np.float32, (-1,))},
)
LAYERS = {
    "activations": FakeSignature(
        lambda inputs: {
            "conv": inputs["images"] * np.array([1, -1], np.float32),
            "sequence": inputs["images"][..., 0],
            "dense": inputs["images"].reshape(-1, 784)[:, :5],
        },
        IMAGES,
        {
            "conv": (np.float32, (-1, 28, 28, 2)),
            "sequence": (np.float32, (-1, 28, 28)),
            "dense": (np.float32, (-1, 5)),
        },
    ),
    "feature_visualization_conv": VISUALIZATION,
    "feature_visualization_dense": VISUALIZATION,
}
EXAMPLES_MODEL = {
    "serving_default": FakeSignature(
        lambda inputs: {"label": np.where(inputs["x"] > 0, "above", "below"), "score": inputs["x"]},
        {"examples": (np.object_, (-1,))},
        {"label": (np.object_, (-1,)), "score": (np.float32, (-1,))},
        "tensorflow/serving/classify",
    )
}
INVERTER = {
    "serving_default": FakeSignature(
        lambda inputs: {"images": 255 - inputs["pixels"]},
        {"pixels": (np.float32, (-1, 2, 2, 3))},
        {"images": (np.float32, (-1, 2, 2, 3))},
    )
}


@dataclass
class FakeModelServer:
    """Models by name and version, and a record of what was asked.

    Attributes:
        models: what is served; change it at any time.
        labels: the version behind each label, the same for all models.
        delay: seconds before each answer.
        requests: the Predict requests so far.
        metadata: what came beside each of them.
        failures: how the next Predict calls fail, before they are looked at.
        credentials: for TLS; without them it listens plainly.
    """

    models: dict[str, dict[int, FakeVersion]] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    delay: float = 0.0
    requests: list[Any] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    failures: list[grpc.StatusCode] = field(default_factory=list)
    credentials: grpc.ServerCredentials | None = None
    port: int = 0

    def start(self) -> FakeModelServer:
        """Listen on a free port the first time, on the same one afterwards."""
        self._stopping = threading.Event()
        self._server = grpc.server(
            ThreadPoolExecutor(8),
            options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)],
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            _PredictionService(self), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(_ModelService(self), self._server)
        address = f"127.0.0.1:{self.port}"
        if self.credentials:
            self.port = self._server.add_secure_port(address, self.credentials)
        else:
            self.port = self._server.add_insecure_port(address)
        self._server.start()
        return self

    def hold(self) -> None:
        """Let calls wait until `release`."""
        self.delay = 60

    def release(self) -> None:
        """Let the calls that wait go on."""
        self.delay = 0
        self._stopping.set()
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()
        self._server.stop(None).wait()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def find(self, spec: Any, context: Any) -> tuple[int, FakeVersion]:
        """Resolve a ModelSpec as TensorFlow Serving does, and with its words."""
        self._stopping.wait(self.delay)
        versions = self.models.get(spec.name, {})
        available = [number for number, version in versions.items() if version.state == AVAILABLE]
        if spec.version_label:
            if spec.version_label not in self.labels:
                text = f"Unrecognized servable version label: {spec.version_label}"
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)
            number = self.labels[spec.version_label]
        else:
            number = spec.version.value if spec.HasField("version") else max(available, default=0)
        if number not in available:
            wanted = f"Specific({spec.name}, {number})" if number else f"Latest({spec.name})"
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")
        return number, versions[number]


class _PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, server: FakeModelServer) -> None:
        self._fake = server

    def Predict(self, request, context):  # noqa: N802 - the protocol's name
        self._fake.requests.append(request)
        self._fake.metadata.append(dict(context.invocation_metadata()))
        if self._fake.failures:
            context.abort(self._fake.failures.pop(0), "as asked for")
        number, version = self._fake.find(request.model_spec, context)
        name = request.model_spec.signature_name or "serving_default"
        inputs = {key: to_ndarray(proto) for key, proto in request.inputs.items()}
        response = predict_pb2.PredictResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = number
        try:
            signature = version.signatures[name]
            outputs = signature.function({**signature.defaults, **inputs})
        except IndexError as error:  # As a gather out of range is in a graph.
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        for key in request.output_filter or outputs:
            response.outputs[key].CopyFrom(to_tensor_proto(outputs[key]))
        return response

    def Classify(self, request, context):  # noqa: N802
        response = classification_pb2.ClassificationResponse()
        outputs = self._run_examples(request, context)
        for label, score in zip(outputs["label"], outputs["score"], strict=True):
            response.result.classifications.add().classes.add(label=label, score=score)
        return response

    def Regress(self, request, context):  # noqa: N802
        response = regression_pb2.RegressionResponse()
        for score in self._run_examples(request, context)["score"]:
            response.result.regressions.add(value=score)
        return response

    def _run_examples(self, request, context):
        """Run a signature on the feature `x` of each example."""
        _, version = self._fake.find(request.model_spec, context)
        signature = version.signatures.get(request.model_spec.signature_name or "serving_default")
        if signature is None or not signature.method_name.endswith("/classify"):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "No signature for examples")
        examples = request.input.example_list.examples
        if any("x" not in example.features.feature for example in examples):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Feature: x (data type: float)")
        values = [sum(example.features.feature["x"].float_list.value) for example in examples]
        return signature.function({"x": np.array(values, np.float32)})

    def GetModelMetadata(self, request, context):  # noqa: N802
        number, version = self._fake.find(request.model_spec, context)
        signature_map = get_model_metadata_pb2.SignatureDefMap()
        signature_map.signature_def["__saved_model_init_op"].method_name = ""
        for name, signature in version.signatures.items():
            proto = signature_map.signature_def[name]
            proto.method_name = signature.method_name
            for specs, infos in (
                (signature.inputs, proto.inputs),
                (signature.outputs, proto.outputs),
            ):
                for key, (dtype, shape) in specs.items():
                    infos[key].dtype = data_type_of(np.dtype(dtype))
                    for size in shape:
                        infos[key].tensor_shape.dim.add(size=size)
            for key, value in signature.defaults.items():
                proto.defaults[key].CopyFrom(to_tensor_proto(value))
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = number
        response.metadata["signature_def"].Pack(signature_map)
        return response


class _ModelService(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, server: FakeModelServer) -> None:
        self._fake = server

    def GetModelStatus(self, request, context):  # noqa: N802
        time.sleep(self._fake.delay)
        spec = request.model_spec
        versions = self._fake.models.get(spec.name)
        if not versions:
            text = f"Could not find any versions of model {spec.name}"
            context.abort(grpc.StatusCode.NOT_FOUND, text)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, version in sorted(versions.items(), reverse=True):
            if not spec.HasField("version") or spec.version.value == number:
                status = response.model_version_status.add(version=number, state=version.state)
                status.status.error_code = error_codes_pb2.OK
        if not response.model_version_status:
            text = f"Could not find version {spec.version.value} of model {spec.name}"
            context.abort(grpc.StatusCode.NOT_FOUND, text)
        return response
