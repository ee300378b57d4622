"""TensorFlow Serving's gRPC API by its official stubs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from tensorflow.core.example import example_pb2
from tensorflow.core.framework import types_pb2
from tensorflow.tsl.profiler.protobuf import xplane_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    input_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
INVALID, PRECONDITION = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION
NOT_FOUND, UNIMPLEMENTED = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED


def predict_request(*values: float, **spec: Any) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    name_model(request.model_spec, **spec)
    tensor = request.inputs["x"]
    tensor.dtype = types_pb2.DT_FLOAT
    tensor.tensor_shape.dim.add(size=len(values))
    tensor.tensor_shape.dim.add(size=1)
    tensor.float_val.extend(values)
    return request


def name_model(model_spec: Any, **spec: Any) -> None:
    model_spec.name = spec.get("name", "half_plus_two")
    model_spec.signature_name = spec.get("signature", "")
    if "label" in spec:
        model_spec.version_label = spec["label"]
    if "version" in spec:
        model_spec.version.value = spec["version"]


def example(**features: float) -> example_pb2.Example:
    message = example_pb2.Example()
    for name, value in features.items():
        message.features.feature[name].float_list.value.append(value)
    return message


def examples(*xs: float, context: example_pb2.Example | None = None) -> input_pb2.Input:
    message = input_pb2.Input()
    target = message.example_list
    if context:
        target = message.example_list_with_context
        target.context.CopyFrom(context)
    target.examples.extend(example(x=x) for x in xs)
    return message


def refused(call: Any, request: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=30)
    return caught.value.code(), caught.value.details()


@pytest.mark.parametrize(
    ("spec", "version", "constant"),
    [({}, 2, 3), ({"version": 1}, 1, 2), ({"label": "stable"}, 1, 2)],
)
def test_predict(prediction: Any, spec: dict[str, Any], version: int, constant: float) -> None:
    response = prediction.Predict(predict_request(1, 2, **spec), timeout=30)
    assert response.model_spec.name == "half_plus_two"
    assert response.model_spec.version.value == version
    assert response.model_spec.signature_name == "serving_default"
    y = response.outputs["y"]
    assert list(y.float_val) == [0.5 + constant, 1 + constant]
    assert [dim.size for dim in y.tensor_shape.dim] == [2, 1]


def test_an_empty_batch(prediction: Any) -> None:
    y = prediction.Predict(predict_request(), timeout=30).outputs["y"]
    assert [dim.size for dim in y.tensor_shape.dim] == [0, 1]
    assert not y.float_val


def test_the_output_filter(prediction: Any) -> None:
    request = predict_request(1, name="half_plus_two_tf2")
    assert set(prediction.Predict(request, timeout=30).outputs) == {"y", "x_bytes"}
    request.output_filter.append("y")
    assert set(prediction.Predict(request, timeout=30).outputs) == {"y"}
    request.output_filter[:] = ["z"]
    code, message = refused(prediction.Predict, request)
    assert code == INVALID
    assert "output tensor alias not found in signature: z" in message
    request.output_filter[:] = ["y", "y"]
    assert refused(prediction.Predict, request)[0] == INVALID


def test_an_input_that_has_a_default_may_be_left_out(prediction: Any) -> None:
    request = predict_request(1, 2, name="half_plus_two_tf2", signature="scale")
    del request.inputs["x"].tensor_shape.dim[1]
    y = prediction.Predict(request, timeout=30).outputs["y"]
    assert list(y.float_val) == [3, 6]


def wrong_dtype() -> predict_pb2.PredictRequest:
    request = predict_request(1)
    request.inputs["x"].dtype = types_pb2.DT_INT32
    return request


def without_input() -> predict_pb2.PredictRequest:
    request = predict_request(1)
    del request.inputs["x"]
    return request


def extra_input() -> predict_pb2.PredictRequest:
    request = predict_request(1)
    request.inputs["z"].CopyFrom(request.inputs["x"])
    return request


@pytest.mark.parametrize(
    ("request_message", "code", "message"),
    [
        (predict_pb2.PredictRequest(), INVALID, "Missing ModelSpec"),
        (predict_request(1, name="nobody"), NOT_FOUND, "request: Latest(nobody)"),
        (predict_request(1, version=7), NOT_FOUND, "request: Specific(half_plus_two, 7)"),
        (predict_request(1, label="none"), INVALID, "Unrecognized servable version label: none"),
        (predict_request(1, signature="s"), PRECONDITION, 'signature key "s" not found.'),
        (wrong_dtype(), INVALID, "to be float"),
        (without_input(), INVALID, "input size does not match signature: 0!=1"),
        (extra_input(), INVALID, "input size does not match signature: 2!=1"),
    ],
)
def test_what_predict_refuses(
    prediction: Any,
    request_message: predict_pb2.PredictRequest,
    code: grpc.StatusCode,
    message: str,
) -> None:
    received = refused(prediction.Predict, request_message)
    assert received[0] == code
    assert message in received[1]


def slow_request() -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    name_model(request.model_spec, name="half_plus_two_tf2", signature="count")
    steps = request.inputs["steps"]
    steps.dtype = types_pb2.DT_INT64
    steps.tensor_shape.dim.add(size=1)
    steps.int64_val.append(100_000)
    return request


def test_a_deadline_is_kept(prediction: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        prediction.Predict(slow_request(), timeout=0.2)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_classify(prediction: Any) -> None:
    request = classification_pb2.ClassificationRequest(input=examples(2, 4))
    name_model(request.model_spec, signature="classify_x_to_y", version=1)
    response = prediction.Classify(request, timeout=30)
    classes = [list(each.classes) for each in response.result.classifications]
    assert [[(c.label, c.score) for c in row] for row in classes] == [[("2", 3)], [("4", 4)]]
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == "classify_x_to_y"


def test_classify_with_scores_alone(prediction: Any) -> None:
    request = classification_pb2.ClassificationRequest(input=examples(2))
    name_model(request.model_spec, signature="classify_scores", version=1)
    [row] = prediction.Classify(request, timeout=30).result.classifications
    assert [(each.label, each.score) for each in row.classes] == [("", 3)]


def test_classify_with_labels_alone(prediction: Any) -> None:
    request = classification_pb2.ClassificationRequest(input=examples(2))
    name_model(request.model_spec, signature="classify_labels", version=1)
    [row] = prediction.Classify(request, timeout=30).result.classifications
    assert [(each.label, each.score) for each in row.classes] == [("2", 0)]


def test_regress(prediction: Any) -> None:
    request = regression_pb2.RegressionRequest(input=examples(2, 4))
    name_model(request.model_spec, signature="regress_x_to_y", version=1)
    response = prediction.Regress(request, timeout=30)
    assert [each.value for each in response.result.regressions] == [3, 4]


def test_a_tf2_signature_need_not_say_regress(prediction: Any) -> None:
    request = regression_pb2.RegressionRequest(input=examples(2))
    name_model(request.model_spec, name="half_plus_two_tf2", signature="regress")
    [regression] = prediction.Regress(request, timeout=30).result.regressions
    assert regression.value == 3


def test_a_context_is_merged_and_the_example_wins(prediction: Any) -> None:
    with_context = examples(2, context=example(x=100, x2=4))
    request = regression_pb2.RegressionRequest(input=with_context)
    name_model(request.model_spec, signature="regress_x2_to_y3", version=1)
    [x2] = prediction.Regress(request, timeout=30).result.regressions
    assert x2.value == 5
    request.model_spec.signature_name = "regress_x_to_y"
    [x] = prediction.Regress(request, timeout=30).result.regressions
    assert x.value == 3


@pytest.mark.parametrize(
    ("signature", "given", "code", "message"),
    [
        ("none", examples(1), INVALID, "No signature was found with the name: none"),
        ("regress_x_to_y", input_pb2.Input(), INVALID, "Input is empty"),
        ("classify_x_to_y", examples(1), INVALID, "Expected one output Tensor"),
        ("serving_default", examples(1), PRECONDITION, "No regression inputs found"),
    ],
)
def test_what_regress_refuses(
    prediction: Any, signature: str, given: input_pb2.Input, code: grpc.StatusCode, message: str
) -> None:
    request = regression_pb2.RegressionRequest(input=given)
    name_model(request.model_spec, signature=signature)
    received = refused(prediction.Regress, request)
    assert received[0] == code
    assert message in received[1]


def multi(*tasks: tuple[str, str, str]) -> inference_pb2.MultiInferenceRequest:
    request = inference_pb2.MultiInferenceRequest(input=examples(2, 4))
    for name, signature, method in tasks:
        task = request.tasks.add(method_name=method)
        name_model(task.model_spec, name=name, signature=signature)
    return request


H = "half_plus_two"


def test_multi_inference(prediction: Any) -> None:
    request = multi((H, "classify_x_to_y", CLASSIFY), (H, "regress_x_to_y", REGRESS))
    classified, regressed = prediction.MultiInference(request, timeout=30).results
    rows = classified.classification_result.classifications
    assert [row.classes[0].label for row in rows] == ["2", "4"]
    assert [each.value for each in regressed.regression_result.regressions] == [4, 5]
    assert regressed.model_spec.signature_name == "regress_x_to_y"
    assert regressed.model_spec.version.value == 2


def test_multi_inference_on_signatures_with_their_own_inputs(prediction: Any) -> None:
    name = "half_plus_two_tf2"
    request = multi((name, "classify", CLASSIFY), (name, "regress", REGRESS))
    classified, regressed = prediction.MultiInference(request, timeout=30).results
    rows = classified.classification_result.classifications
    assert [row.classes[0].score for row in rows] == [1, 2]
    assert [each.value for each in regressed.regression_result.regressions] == [3, 4]


@pytest.mark.parametrize(
    ("request_message", "code", "message"),
    [
        (
            multi((H, "regress_x_to_y", REGRESS), ("half_plus_two_tf2", "regress", REGRESS)),
            INVALID,
            "must access the same model name",
        ),
        (
            multi((H, "regress_x_to_y", REGRESS), (H, "regress_x_to_y", REGRESS)),
            INVALID,
            "Duplicate evaluation of signature: regress_x_to_y",
        ),
        (
            multi((H, "serving_default", "tensorflow/serving/predict")),
            UNIMPLEMENTED,
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
        (multi((H, "none", REGRESS)), INVALID, "signature not found in model graph: none"),
    ],
)
def test_what_multi_inference_refuses(
    prediction: Any,
    request_message: inference_pb2.MultiInferenceRequest,
    code: grpc.StatusCode,
    message: str,
) -> None:
    received = refused(prediction.MultiInference, request_message)
    assert received[0] == code
    assert message in received[1]


def test_metadata(prediction: Any) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    name_model(request.model_spec)
    response = prediction.GetModelMetadata(request, timeout=30)
    packed: AnyMessage = response.metadata["signature_def"]
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert packed.Unpack(signatures)
    assert signatures.signature_def["regress_x_to_y"].method_name == REGRESS
    request.metadata_field[:] = ["other"]
    assert refused(prediction.GetModelMetadata, request)[0] == INVALID
    request.metadata_field[:] = []
    assert refused(prediction.GetModelMetadata, request)[0] == INVALID


@pytest.mark.parametrize(
    ("spec", "versions"),
    [({}, {1, 2}), ({"version": 1}, {1}), ({"label": "ignored"}, {1, 2})],
)
def test_status(models: Any, spec: dict[str, Any], versions: set[int]) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    name_model(request.model_spec, **spec)
    statuses = models.GetModelStatus(request, timeout=30).model_version_status
    assert {status.version for status in statuses} == versions
    assert {status.state for status in statuses} == {30}


def test_status_of_what_is_not_there(models: Any) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    name_model(request.model_spec, name="nobody")
    assert refused(models.GetModelStatus, request) == (
        NOT_FOUND,
        "Could not find any versions of model nobody",
    )


def test_a_reload_needs_a_list(models: Any) -> None:
    code, message = refused(
        models.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest()
    )
    assert code == INVALID
    assert "Only ModelConfigList is currently supported" in message


def test_a_200_mb_request(prediction: Any) -> None:
    request = predict_pb2.PredictRequest()
    name_model(request.model_spec, version=1)
    values = np.arange(50_000_000, dtype=np.float32).reshape(-1, 1)
    tensor = request.inputs["x"]
    tensor.dtype = types_pb2.DT_FLOAT
    tensor.tensor_shape.dim.add(size=len(values))
    tensor.tensor_shape.dim.add(size=1)
    tensor.tensor_content = values.tobytes()
    assert request.ByteSize() > 200_000_000
    y = prediction.Predict(request, timeout=60).outputs["y"]
    received = np.frombuffer(y.tensor_content, np.float32) if y.tensor_content else y.float_val
    np.testing.assert_array_equal(received, values.ravel() / 2 + 2)


def test_reflection(ours: None, channel: grpc.Channel) -> None:
    database = ProtoReflectionDescriptorDatabase(channel)
    assert {
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.health.v1.Health",
    } <= set(database.get_services())
    # A pool of its own knows nothing but what the server describes.
    pool = DescriptorPool(database)
    methods = pool.FindServiceByName("tensorflow.serving.PredictionService").methods_by_name
    assert set(methods) == {
        "Predict",
        "Classify",
        "Regress",
        "MultiInference",
        "GetModelMetadata",
    }
    assert methods["Predict"].input_type.fields_by_name["inputs"].number == 2
    methods = pool.FindServiceByName("tensorflow.serving.ModelService").methods_by_name
    assert set(methods) == {"GetModelStatus", "HandleReloadConfigRequest"}
    assert pool.FindMessageTypeByName("tensorflow.TensorProto").fields_by_name["float_val"]


def test_a_profile(ours: None, contract: Any, prediction: Any, tmp_path: Path) -> None:
    # Ours alone, since the server writes the file, and a container has another disk.
    busy = prediction.Predict.future(slow_request(), timeout=60)
    tf.profiler.experimental.client.trace(f"grpc://{contract.grpc}", str(tmp_path), 200)
    [trace] = tmp_path.rglob("plugins/profile/*/localhost_*.xplane.pb")
    planes = xplane_pb2.XSpace.FromString(trace.read_bytes()).planes
    assert any(line.events for plane in planes for line in plane.lines)
    assert busy.result().outputs["steps"].int64_val[0] == 100_000


def test_the_profilers_monitor_is_not_implemented(contract: Any) -> None:
    with pytest.raises(RuntimeError, match="UNIMPLEMENTED"):
        tf.profiler.experimental.client.monitor(f"grpc://{contract.grpc}", 100)
