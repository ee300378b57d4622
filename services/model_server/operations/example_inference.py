"""Answers the requests that carry `tf.Example` on a servable: Classify, Regress, MultiInference.

Source: tensorflow_serving/servables/tensorflow/classifier.cc, regressor.cc, multi_inference.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt
from google.protobuf import wrappers_pb2

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.operations.classify import METHOD_NAME as CLASSIFY
from services.model_server.operations.classify import classify
from services.model_server.operations.examples import serialize_examples
from services.model_server.operations.predict import DEFAULT_SIGNATURE
from services.model_server.operations.regress import METHOD_NAME as REGRESS
from services.model_server.operations.regress import regress
from services.model_server.servables.servable import Servable
from services.serving_api.protos import (
    classification_pb2,
    error_codes_pb2,
    inference_pb2,
    input_pb2,
    model_pb2,
    regression_pb2,
)

_METHODS: Mapping[str, Callable[[Servable, str, npt.NDArray[Any]], Any]] = {
    CLASSIFY: classify,
    REGRESS: regress,
}


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
    result = _run(servable, request.model_spec, request.input, CLASSIFY, check=check_method_names)
    model_spec = _resolved(request.model_spec, version)
    return classification_pb2.ClassificationResponse(model_spec=model_spec, result=result)


def answer_regress(
    servable: Servable,
    version: int,
    request: regression_pb2.RegressionRequest,
    *,
    check_method_names: bool = False,
) -> regression_pb2.RegressionResponse:
    """Return the value of each example; see `answer_classify`."""
    result = _run(servable, request.model_spec, request.input, REGRESS, check=check_method_names)
    model_spec = _resolved(request.model_spec, version)
    return regression_pb2.RegressionResponse(model_spec=model_spec, result=result)


def answer_multi_inference(
    servable: Servable,
    version: int,
    request: inference_pb2.MultiInferenceRequest,
    *,
    check_method_names: bool = False,
) -> inference_pb2.MultiInferenceResponse:
    """Runs several signatures on the same examples, one after the other; see `answer_classify`.

    TensorFlow Serving feeds one tensor for all of them. The signatures of a TensorFlow 2 export
    have an input tensor each, and every one of them gets the examples.

    Raises:
        ServingError: also for tasks that name several models, one signature twice, or a method that
            is neither.
    """
    _check_tasks(servable, request)
    response = inference_pb2.MultiInferenceResponse()
    for task in request.tasks:
        spec, method = task.model_spec, task.method_name
        answer = response.results.add(model_spec=_resolved(spec, version))
        answer.model_spec.signature_name = spec.signature_name or DEFAULT_SIGNATURE
        is_classify = method == CLASSIFY
        result = answer.classification_result if is_classify else answer.regression_result
        result.CopyFrom(_run(servable, spec, request.input, method, check=check_method_names))
    return response


def count_examples(message: input_pb2.Input) -> int:
    """Return how many examples a request carries."""
    kind = message.WhichOneof("kind")
    return len(getattr(message, kind).examples) if kind else 0


def _run(
    servable: Servable,
    spec: model_pb2.ModelSpec,
    examples: input_pb2.Input,
    method: str,
    *,
    check: bool,
) -> Any:
    name = spec.signature_name or DEFAULT_SIGNATURE
    if name not in servable.signatures:
        raise invalid_argument(f"No signature was found with the name: {name}")
    received = servable.signatures[name].method_name
    if check and received != method:
        kind = "classification" if method == CLASSIFY else "regression"
        raise invalid_argument(
            f"Expected {kind} signature method_name to be {method}. Was: {received}"
        )
    return _METHODS[method](servable, name, serialize_examples(examples))


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
        if task.method_name not in _METHODS:
            raise ServingError(
                error_codes_pb2.UNIMPLEMENTED,
                f"Unsupported signature method_name: {task.method_name}",
            )


def _resolved(spec: model_pb2.ModelSpec, version: int) -> model_pb2.ModelSpec:
    """Say which version answered, whichever way the request named it."""
    return model_pb2.ModelSpec(
        name=spec.name,
        signature_name=spec.signature_name,
        version=wrappers_pb2.Int64Value(value=version),
    )
