"""Runs a classification signature on examples.

Checks, messages and codes are those of tensorflow_serving/servables/tensorflow/classifier.cc.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.servables.servable import Servable
from services.serving_api.protos import classification_pb2, error_codes_pb2, types_pb2
from services.serving_api.signatures import Signature

METHOD_NAME = "tensorflow/serving/classify"
INPUTS, CLASSES, SCORES = "inputs", "classes", "scores"


def classify(
    servable: Servable, signature_name: str, examples: npt.NDArray[Any]
) -> classification_pb2.ClassificationResult:
    """Returns the classes of each example: a label, a score, or both.

    Args:
        servable: what to run.
        signature_name: a signature with the input `inputs` string[N], and the outputs `classes`
            string[N, K], `scores` float32[N, K], or both.
        examples: serialized `tf.Example`, of shape [N].

    Raises:
        ServingError: the signature is no such one, or its outputs are not of those shapes.
    """
    names = _check_signature(servable.signatures[signature_name])
    outputs = servable.run(signature_name, {INPUTS: examples}, names)
    shapes = {name: _check_output(name, array, len(examples)) for name, array in outputs.items()}
    if len(set(shapes.values())) > 1:
        raise invalid_argument(
            "Tensors class and score should match in dim_size(1). Got "
            f"{shapes[CLASSES][1]} vs. {shapes[SCORES][1]}"
        )
    [(rows, columns)] = set(shapes.values())
    labels = outputs.get(CLASSES, np.full((rows, columns), b"", np.object_)).tolist()
    scores = outputs.get(SCORES, np.zeros((rows, columns), np.float32)).tolist()
    result = classification_pb2.ClassificationResult()
    for row_labels, row_scores in zip(labels, scores, strict=True):
        classes = result.classifications.add().classes
        for label, score in zip(row_labels, row_scores, strict=True):
            classes.add(label=label.decode(errors="replace"), score=score)
    return result


def _check_signature(signature: Signature) -> list[str]:
    """Returns the outputs to compute."""
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if len(signature.outputs) not in (1, 2):
        raise invalid_argument(
            f"Expected one or two output Tensors, found {len(signature.outputs)}"
        )
    if INPUTS not in signature.inputs:
        raise ServingError(
            error_codes_pb2.FAILED_PRECONDITION,
            f"No classification inputs found in SignatureDef: {sorted(signature.inputs)}, "
            f'expected "{INPUTS}"',
        )
    names = [name for name in (CLASSES, SCORES) if name in signature.outputs]
    if not names:
        raise ServingError(
            error_codes_pb2.FAILED_PRECONDITION,
            "Expected classification signature outputs to contain at least one of "
            f'"{CLASSES}" or "{SCORES}". Signature was: {sorted(signature.outputs)}',
        )
    for name, data_type in ((CLASSES, types_pb2.DT_STRING), (SCORES, types_pb2.DT_FLOAT)):
        if name in names and signature.outputs[name].data_type != data_type:
            raise invalid_argument(
                f"Expected {name} Tensor of {types_pb2.DataType.Name(data_type)}. "
                f"Got: {types_pb2.DataType.Name(signature.outputs[name].data_type)}"
            )
    return names


def _check_output(name: str, array: npt.NDArray[Any], rows: int) -> tuple[int, int]:
    if array.ndim != 2:
        raise invalid_argument(
            f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}"
        )
    if len(array) != rows:
        raise invalid_argument(f"Expected {name} output batch size of {rows}. Got: {len(array)}")
    return array.shape
