"""The Open Inference Protocol over gRPC: forged tensors, parameters of other types, odd models."""

from __future__ import annotations

from typing import Any

from services.model_server.grpc_api.open_inference_proto import SERVICE, messages
from tests.hostile.engine import Case
from tests.hostile.inputs import MEGABYTE
from tests.hostile.requests import Grpc

REFUSED = frozenset({"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED"})
ANSWERED = REFUSED | {"OK"}
INTERNAL = frozenset({"INTERNAL"})
"""gRPC's own answer to a message that is none."""

_PREFIX = f"{SERVICE.full_name}/"
IMAGE = [1, 28, 28, 1]
RAW = bytes(4 * 784)
NAMES = ("", "\0", "cnn/1", "../../etc", "a" * MEGABYTE)
VERSIONS = ("0", "-1", "\u0661", "\u00b2", "1e3", "9" * 5000, "a" * MEGABYTE, "\0")


def call(method: str, **fields: Any) -> Grpc:
    message = getattr(messages, f"{method}Request")
    return Grpc(_PREFIX + method, message(**fields).SerializeToString())


def infer(*raw: bytes, outputs: list[dict[str, Any]] | None = None, **tensor: Any) -> Grpc:
    """Return an inference of one input, an image unless the fields of the tensor say otherwise."""
    image = {"name": "images", "datatype": "FP32", "shape": IMAGE}
    return call(
        "ModelInfer",
        model_name="mlp",
        inputs=[image | tensor],
        outputs=outputs or [],
        raw_input_contents=raw,
    )


def strings(*raw: bytes, shape: list[int]) -> Grpc:
    tensor = {"name": "image_bytes", "datatype": "BYTES", "shape": shape}
    return call(
        "ModelInfer",
        model_name="mlp",
        parameters={"signature_name": {"string_param": "predict_bytes"}},
        inputs=[tensor],
        raw_input_contents=raw,
    )


TENSORS: dict[str, Grpc] = {
    "no values": infer(),
    "raw values that are too few": infer(bytes(3)),
    "raw values that are too many": infer(bytes(4000)),
    "raw values that no input claims": infer(RAW, RAW),
    "a dimension below 0": infer(RAW, shape=[-1, 28, 28, 1]),
    "the least dimension": infer(RAW, shape=[-(2**63)]),
    "2^63-1 twice": infer(RAW, shape=[2**63 - 1] * 2),
    "2^40 in one dimension": infer(shape=[2**40]),
    "a shape of nothing": infer(b"", shape=[0, 28, 28, 1]),
    "the largest shape of nothing": infer(b"", shape=[0, 2**62, 2**62]),
    "no shape": infer(bytes(4), shape=[]),
    "65 dimensions": infer(bytes(4), shape=[1] * 65),
    "100,000 dimensions": infer(bytes(4), shape=[1] * 100_000),
    "another datatype": infer(RAW, datatype="FP64"),
    "a datatype of 1 MB": infer(RAW, datatype="a" * MEGABYTE),
    "no datatype": infer(RAW, datatype=""),
    "values of another field": infer(contents={"int_contents": [1] * 784}),
    "values that are no numbers": infer(contents={"fp32_contents": [float("nan")] * 784}),
    "values of both kinds": infer(RAW, contents={"fp32_contents": [1.0] * 784}),
    "another name": infer(RAW, name="a" * MEGABYTE),
    "shared memory": infer(parameters={"shared_memory_region": {"string_param": "/dev/mem"}}),
    "no strings": strings(b"", shape=[1]),
    "a length without an end": strings(b"\xff", shape=[1]),
    "a length beyond the end": strings(b"\xff\xff\xff\x7f", shape=[1]),
    "500,000 strings of nothing": strings(bytes(2_000_000), shape=[500_000]),
}


def classification(value: dict[str, Any], name: str = "logits") -> Grpc:
    return infer(RAW, outputs=[{"name": name, "parameters": {"classification": value}}])


OUTPUTS: list[Grpc] = [
    *[classification({"int64_param": count}) for count in (0, -1, 2**63 - 1, -(2**63))],
    classification({"string_param": "a"}),
    classification({"double_param": float("nan")}),
    classification({}),
    classification({"int64_param": 1}, "label"),
    infer(RAW, outputs=[{"name": "a" * MEGABYTE}]),
    infer(RAW, outputs=[{"name": "logits"}] * 10_000),
]

BROKEN = (b"\x0a", b"\x0a\xff\xff\xff\xff\x07", b"\x0b" * 100_000, b"\x2a\x7f" * 10_000)

CASES = [
    Case("gRPC v2: forged tensors", lambda: [*TENSORS.values()], ANSWERED, seconds=4),
    Case("gRPC v2: forged outputs", lambda: OUTPUTS, ANSWERED),
    Case("gRPC v2: odd models", lambda: [call(method, name=name, version=version) for method in ("ModelReady", "ModelMetadata") for name in NAMES for version in VERSIONS], ANSWERED),
    Case("gRPC v2: odd versions", lambda: [call("ModelInfer", model_name="mlp", model_version=version) for version in VERSIONS], REFUSED),
    Case("gRPC v2: odd models to load", lambda: [call(method, model_name=name) for method in ("RepositoryModelLoad", "RepositoryModelUnload") for name in (*NAMES, "cnn")], REFUSED),
    Case("gRPC v2: messages that are none", lambda: [Grpc(_PREFIX + each.name, content) for each in SERVICE.methods for content in BROKEN], INTERNAL | ANSWERED),
    Case("gRPC v2: 64 MB that no tensor claims", lambda: [infer(bytes(64 * MEGABYTE))], REFUSED),
]  # fmt: skip
