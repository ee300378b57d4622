"""Answers the requests that carry `tf.Example` on a servable: Classify, Regress, MultiInference.

Source: tensorflow_serving/servables/tensorflow/classifier.cc, regressor.cc, multi_inference.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from services.model_server.core.classify import METHOD_NAME as CLASSIFY
from services.model_server.core.classify import classify
from services.model_server.core.errors import ServingError, invalid_argument
from services.model_server.core.examples import serialize_examples
from services.model_server.core.predict import DEFAULT_SIGNATURE
from services.model_server.core.regress import METHOD_NAME as REGRESS
from services.model_server.core.regress import regress
from services.model_server.core.servable import Servable
from services.serving_api.protos import (
    classification_pb2,
    error_codes_pb2,
    inference_pb2,
    input_pb2,
    model_pb2,
    regression_pb2,
)

_Run = Callable[[Servable, str, npt.NDArray[Any]], Any]


def answer_classify(
    servable: Servable,
    version: int,
    request: classification_pb2.ClassificationRequest,
    *,
    check_method_names: bool = False,
) -> classification_pb2.ClassificationResponse:
    """Return the classes of each example.

    Args:
        servable: what to run.
        version: which version that is, for the answer.
        request: the examples, and the signature to run on them.
        check_method_names: refuse a signature whose method_name is not tensorflow/serving/classify,
            as none is that TensorFlow 2 exports.

    Raises:
        ServingError: the signature is missing or no classification, or the model failed.
    """
    response = classification_pb2.ClassificationResponse()
    method = CLASSIFY if check_method_names else None
    result = _run(servable, request.model_spec, request.input, classify, method)
    response.result.CopyFrom(result)
    _name_model(response.model_spec, request.model_spec, version)
    return response


def answer_regress(
    servable: Servable,
    version: int,
    request: regression_pb2.RegressionRequest,
    *,
    check_method_names: bool = False,
) -> regression_pb2.RegressionResponse:
    """Return the value of each example; see `answer_classify`."""
    response = regression_pb2.RegressionResponse()
    method = REGRESS if check_method_names else None
    result = _run(servable, request.model_spec, request.input, regress, method)
    response.result.CopyFrom(result)
    _name_model(response.model_spec, request.model_spec, version)
    return response


def answer_multi_inference(
    servable: Servable,
    version: int,
    request: inference_pb2.MultiInferenceRequest,
    *,
    check_method_names: bool = False,
) -> inference_pb2.MultiInferenceResponse:
    """Run several signatures on the same examples, one after the other; see `answer_classify`.

    Raises:
        ServingError: also for tasks that name several models, one signature twice, signatures of
            different input tensors, or a method that is neither.
    """
    _check_tasks(servable, request)
    response = inference_pb2.MultiInferenceResponse()
    for task in request.tasks:
        result = response.results.add()
        method = task.method_name if check_method_names else None
        if task.method_name == CLASSIFY:
            classes = _run(servable, task.model_spec, request.input, classify, method)
            result.classification_result.CopyFrom(classes)
        else:
            values = _run(servable, task.model_spec, request.input, regress, method)
            result.regression_result.CopyFrom(values)
        _name_model(result.model_spec, task.model_spec, version)
        result.model_spec.signature_name = task.model_spec.signature_name or DEFAULT_SIGNATURE
    return response


def count_examples(message: input_pb2.Input) -> int:
    """Return how many examples a request carries."""
    kind = message.WhichOneof("kind")
    return len(getattr(message, kind).examples) if kind else 0


def _run(
    servable: Servable,
    spec: model_pb2.ModelSpec,
    examples: input_pb2.Input,
    run: _Run,
    expected_method: str | None,
) -> Any:
    name = spec.signature_name or DEFAULT_SIGNATURE
    if name not in servable.signatures:
        raise invalid_argument(f"No signature was found with the name: {name}")
    received = servable.signatures[name].method_name
    if expected_method not in (None, received):
        kind = "classification" if expected_method == CLASSIFY else "regression"
        raise invalid_argument(
            f"Expected {kind} signature method_name to be {expected_method}. Was: {received}"
        )
    return run(servable, name, serialize_examples(examples))


def _check_tasks(servable: Servable, request: inference_pb2.MultiInferenceRequest) -> None:
    names = [task.model_spec.signature_name or DEFAULT_SIGNATURE for task in request.tasks]
    for position, (name, task) in enumerate(zip(names, request.tasks, strict=True)):
        if not task.model_spec.name:
            raise invalid_argument("Found ModelSpec with an empty model name.")
        if task.model_spec.name != request.tasks[0].model_spec.name:
            raise invalid_argument(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name."
            )
        if name in names[:position]:
            raise invalid_argument(f"Duplicate evaluation of signature: {name}")
        if name not in servable.signatures:
            raise invalid_argument(f"Requested signature not found in model graph: {name}")
        if task.method_name not in (CLASSIFY, REGRESS):
            raise ServingError(
                error_codes_pb2.UNIMPLEMENTED,
                f"Unsupported signature method_name: {task.method_name}",
            )
    tensors = {
        info.name for name in names for info in servable.signature_defs[name].inputs.values()
    }
    if len(tensors) > 1:
        raise invalid_argument("Input tensor must be the same for all Signatures.")


def _name_model(response: model_pb2.ModelSpec, request: model_pb2.ModelSpec, version: int) -> None:
    response.name = request.name
    response.signature_name = request.signature_name
    response.version.value = version
