"""Runs a signature on `tf.Example`s: the operations Classify, Regress and MultiInference.

Source: tensorflow_serving/servables/tensorflow/classifier.cc, regressor.cc, multi_inference.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.operations.classify import METHOD_NAME as CLASSIFY
from services.model_server.operations.classify import classify
from services.model_server.operations.examples import serialize_examples
from services.model_server.operations.regress import METHOD_NAME as REGRESS
from services.model_server.operations.regress import regress
from services.model_server.servables.servable import Servable
from services.serving_api.protos import error_codes_pb2, inference_pb2, input_pb2, model_pb2
from services.serving_api.signatures import DEFAULT_SIGNATURE

__all__ = ["CLASSIFY", "REGRESS", "check_tasks", "count_examples", "run_on_examples"]

_METHODS: Mapping[str, Callable[[Servable, str, npt.NDArray[Any]], Any]] = {
    CLASSIFY: classify,
    REGRESS: regress,
}


def run_on_examples(
    servable: Servable,
    spec: model_pb2.ModelSpec,
    examples: input_pb2.Input,
    method: str,
    *,
    check_method: bool,
) -> Any:
    """Returns the `ClassificationResult` or `RegressionResult` of examples.

    Args:
        servable: runs the signature.
        spec: names the signature, if it is not the default one.
        examples: the examples.
        method: `CLASSIFY` or `REGRESS`.
        check_method: refuse a signature whose method_name is another, as it is in every signature
            that TensorFlow 2 exports.

    Raises:
        ServingError: the signature is missing or not of this kind, or the model failed.
    """
    name = spec.signature_name or DEFAULT_SIGNATURE
    if name not in servable.signatures:
        raise invalid_argument(f"No signature was found with the name: {name}")
    received = servable.signatures[name].method_name
    if check_method and received != method:
        kind = "classification" if method == CLASSIFY else "regression"
        raise invalid_argument(
            f"Expected {kind} signature method_name to be {method}. Was: {received}"
        )
    return _METHODS[method](servable, name, serialize_examples(examples))


def check_tasks(servable: Servable, tasks: Sequence[inference_pb2.InferenceTask]) -> None:
    """Checks that the tasks of a MultiInference request can run together.

    Raises:
        ServingError: they name several models, one signature twice or an unknown one, or another
            method than Classify and Regress.
    """
    names = [task.model_spec.signature_name or DEFAULT_SIGNATURE for task in tasks]
    for position, (name, task) in enumerate(zip(names, tasks, strict=True)):
        if not task.model_spec.name:
            raise invalid_argument("Found ModelSpec with an empty model name.")
        if task.model_spec.name != tasks[0].model_spec.name:
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


def count_examples(message: input_pb2.Input) -> int:
    """Returns how many examples a request carries."""
    kind = message.WhichOneof("kind")
    return len(getattr(message, kind).examples) if kind else 0
