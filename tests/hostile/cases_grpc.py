"""gRPC: tensors that claim what they do not hold, broken examples, messages that are none."""

from __future__ import annotations

from collections.abc import Callable

from services.serving_api.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
    tensor_pb2,
    types_pb2,
)
from tests.hostile.engine import Case
from tests.hostile.inputs import MEGABYTE
from tests.hostile.requests import MODELS, PREDICTION, Grpc

REFUSED = frozenset({"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED"})
ANSWERED = REFUSED | {"OK"}
INTERNAL = frozenset({"INTERNAL"})
"""gRPC's own answer to a message that is none."""

PREDICT = f"{PREDICTION}/Predict"


def predict(
    tensor: tensor_pb2.TensorProto,
    *,
    name: str = "images",
    model: str = "mlp",
    signature: str = "",
    outputs: tuple[str, ...] = (),
) -> Grpc:
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    request.inputs[name].CopyFrom(tensor)
    return Grpc(PREDICT, request.SerializeToString())


def tensor(
    shape: tuple[int, ...], data_type: int = types_pb2.DT_FLOAT, **fields
) -> tensor_pb2.TensorProto:
    proto = tensor_pb2.TensorProto(dtype=data_type, **fields)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def of_every_type() -> list[tensor_pb2.TensorProto]:
    types = [*types_pb2.DataType.values(), 4711, -1]
    return [tensor((1, 28, 28, 1), number) for number in types]


IMAGE = (1, 28, 28, 1)
TENSORS: dict[str, tensor_pb2.TensorProto] = {
    "2^40 in one dimension": tensor((2**40,)),
    "2^63-1 in one dimension": tensor((2**63 - 1,)),
    "dimensions whose product is 2^64": tensor((2**32, 2**32)),
    "dimensions whose product overflows to 784": tensor((2**62, 2**62, 28, 28)),
    "500 MB that are not there": tensor((125_000_000,)),
    "nothing, and 2^40": tensor((0, 2**40, 2**40)),
    "a dimension below 0": tensor((-1, 28, 28, 1)),
    "the least dimension": tensor((-(2**63),)),
    "255 dimensions": tensor((1,) * 255),
    "254 dimensions": tensor((1,) * 254),
    "70 dimensions": tensor((1,) * 70),
    "100,000 dimensions": tensor((1,) * 100_000),
    "no shape": tensor((), tensor_content=bytes(4)),
    "an unknown rank": tensor_pb2.TensorProto(dtype=1, tensor_shape={"unknown_rank": True}),
    "content that is too short": tensor(IMAGE, tensor_content=bytes(3)),
    "content that is too long": tensor(IMAGE, tensor_content=bytes(4000)),
    "values of another field": tensor(IMAGE, int_val=[1] * 784),
    "more values than the shape": tensor(IMAGE, float_val=[1.0] * 1000),
    "a later version of the message": tensor(IMAGE, version_number=2**31 - 1),
    "a resource": tensor(IMAGE, types_pb2.DT_RESOURCE),
    "a variant": tensor(IMAGE, types_pb2.DT_VARIANT),
    "a reference": tensor(IMAGE, types_pb2.DT_FLOAT_REF),
    "strings for numbers": tensor(IMAGE, types_pb2.DT_STRING, string_val=[b"a"] * 784),
}
STRINGS: dict[str, tensor_pb2.TensorProto] = {
    "2^31 strings of nothing": tensor((2**31,), types_pb2.DT_STRING),
    "20,000,000 strings of nothing": tensor((20_000_000,), types_pb2.DT_STRING),
    "content without lengths": tensor((2,), types_pb2.DT_STRING, tensor_content=b"\x05"),
    "a length without an end": tensor((1,), types_pb2.DT_STRING, tensor_content=b"\xff" * 1000),
    "a length beyond the end": tensor((1,), types_pb2.DT_STRING, tensor_content=b"\xff\xff\xff\xff\x07"),
    "a string that is no picture": tensor((1,), types_pb2.DT_STRING, string_val=[b"\xff\xd8"]),
}  # fmt: skip


def examples(kind: str, content: bytes, **spec: str) -> Grpc:
    messages = {
        "Classify": classification_pb2.ClassificationRequest(),
        "Regress": regression_pb2.RegressionRequest(),
    }
    request = messages[kind]
    request.model_spec.name = spec.get("model", "half_plus_two")
    request.model_spec.signature_name = spec.get("signature", "classify_x_to_y")
    # As it is on the wire, since no message class would write what is broken.
    request.input.MergeFromString(content)
    return Grpc(f"{PREDICTION}/{kind}", request.SerializeToString())


def features(count: int = 1, name: str = "x", **lists) -> bytes:
    request = classification_pb2.ClassificationRequest()
    for _ in range(count):
        example = request.input.example_list.examples.add()
        for kind, values in lists.items():
            getattr(example.features.feature[name], kind).value.extend(values)
    return request.input.SerializeToString()


EXAMPLES: dict[str, bytes] = {
    "no examples": b"",
    "an example of nothing": features(),
    "no values": features(float_list=[]),
    "two values": features(float_list=[1.0, 2.0]),
    "another feature": features(name="y", float_list=[1.0]),
    "a feature without a name": features(name="", float_list=[1.0]),
    "another kind": features(int64_list=[1]),
    "bytes": features(bytes_list=[b"\xff"]),
    "no numbers": features(float_list=[float("nan")]),
    "infinity": features(float_list=[float("inf")]),
    "1,000,000 values": features(float_list=[1.0] * 1_000_000),
    "5,000 examples": features(5_000, float_list=[1.0]),
    "a name of 1 MB": features(name="x" * MEGABYTE, float_list=[1.0]),
}


def multi_inference(*tasks: tuple[str, str, str]) -> Grpc:
    request = inference_pb2.MultiInferenceRequest()
    request.input.MergeFromString(features(float_list=[1.0]))
    for model, signature, method in tasks:
        task = request.tasks.add(method_name=method)
        task.model_spec.name, task.model_spec.signature_name = model, signature
    return Grpc(f"{PREDICTION}/MultiInference", request.SerializeToString())


REGRESS = ("half_plus_two", "regress_x_to_y", "tensorflow/serving/regress")
METHODS = [
    *[f"{PREDICTION}/{name}" for name in ("Predict", "Classify", "Regress", "MultiInference", "GetModelMetadata")],
    f"{MODELS}/GetModelStatus",
    f"{MODELS}/HandleReloadConfigRequest",
]  # fmt: skip
BROKEN = {
    "half a tag": b"\x0a",
    "a length beyond the end": b"\x0a\xff\xff\xff\xff\x07",
    "a wire type that is none": b"\x0f",
    "a group without an end": b"\x0b" * 1000,
    "groups 100,000 deep": b"\x0b" * 100_000,
    "messages 10,000 deep": b"\x0a\x7f" * 10_000,
    "field 0": b"\x00\x00",
    "a varint without an end": b"\x08" + b"\xff" * 100,
    "text that is none": b"\x0a\x04\x0a\x02\xff\xfe",
}


def spec(method: str, message: type, **fields) -> Grpc:
    return Grpc(method, message(model_spec=fields).SerializeToString())


SPECS = [
    {"name": ""},
    {"name": "a" * MEGABYTE},
    {"name": "\x00"},
    {"name": "../../etc"},
    {"name": "cnn", "version": {"value": -1}},
    {"name": "cnn", "version": {"value": 2**63 - 1}},
    {"name": "cnn", "version_label": "a" * MEGABYTE},
    {"name": "cnn", "version_label": "\x00"},
    {"name": "cnn", "signature_name": "a" * MEGABYTE},
]


def one(
    name: str, make: Callable[[], Grpc], statuses: frozenset = REFUSED, **bounds: float
) -> Case:
    return Case(f"gRPC, {name}", lambda: [make()], statuses, **bounds)


def many(
    name: str, make: Callable[[], list[Grpc]], statuses: frozenset = REFUSED, **bounds: float
) -> Case:
    return Case(f"gRPC, {name}", make, statuses, **bounds)


CASES = [
    many("tensors of every type", lambda: [predict(each) for each in of_every_type()], ANSWERED),
    many("forged tensors", lambda: [predict(each) for each in TENSORS.values()], ANSWERED),
    many("forged strings", lambda: [predict(each, name="image_bytes", signature="predict_bytes") for each in STRINGS.values()], ANSWERED),
    one("no inputs", lambda: Grpc(PREDICT, predict_pb2.PredictRequest(model_spec={"name": "mlp"}).SerializeToString())),
    one("an unknown input", lambda: predict(tensor(IMAGE), name="a" * MEGABYTE)),
    one("an unknown output", lambda: predict(tensor(IMAGE), outputs=("a" * MEGABYTE,))),
    one("the same output twice", lambda: predict(tensor(IMAGE), outputs=("logits", "logits"))),
    one("100,000 outputs", lambda: predict(tensor(IMAGE), outputs=("logits",) * 100_000)),
    one("the signature that starts a model", lambda: predict(tensor(()), signature="__saved_model_init_op"), ANSWERED),
    many("broken examples to classify", lambda: [examples("Classify", each) for each in EXAMPLES.values()], ANSWERED),
    many("broken examples to regress", lambda: [examples("Regress", each, signature="regress_x_to_y") for each in EXAMPLES.values()], ANSWERED),
    one("examples for images", lambda: examples("Classify", features(float_list=[1.0]), model="mlp", signature="serving_default")),
    one("no tasks", multi_inference),
    one("the same task twice", lambda: multi_inference(REGRESS, REGRESS)),
    one("tasks of two models", lambda: multi_inference(REGRESS, ("mlp", "serving_default", "tensorflow/serving/regress"))),
    one("a task of no method", lambda: multi_inference(("half_plus_two", "regress_x_to_y", ""))),
    one("a task of predict", lambda: multi_inference(("mlp", "serving_default", "tensorflow/serving/predict"))),
    one("10,000 tasks", lambda: multi_inference(*[REGRESS] * 10_000)),
    many("messages that are none", lambda: [Grpc(method, content) for method in METHODS for content in BROKEN.values()], INTERNAL | ANSWERED),
    many("messages of nothing", lambda: [Grpc(method, b"") for method in METHODS[:-1]]),
    many("odd models", lambda: [spec(f"{PREDICTION}/Predict", predict_pb2.PredictRequest, **each) for each in SPECS]),
    many("the status of odd models", lambda: [spec(f"{MODELS}/GetModelStatus", get_model_status_pb2.GetModelStatusRequest, **each) for each in SPECS], ANSWERED),
    many("the metadata of odd models", lambda: [spec(f"{PREDICTION}/GetModelMetadata", get_model_metadata_pb2.GetModelMetadataRequest, **each) for each in SPECS]),
    one("an unknown method", lambda: Grpc(f"{PREDICTION}/Nothing", b"")),
    one("a configuration of nothing", lambda: Grpc(f"{MODELS}/HandleReloadConfigRequest", model_management_pb2.ReloadConfigRequest().SerializeToString())),
    one("64 MB that no tensor claims", lambda: predict(tensor(IMAGE, tensor_content=bytes(64 * MEGABYTE)))),
]  # fmt: skip
