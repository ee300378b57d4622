"""Runs a regression signature on examples.

Checks, messages and codes are those of tensorflow_serving/servables/tensorflow/regressor.cc.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.servables.servable import Servable
from services.serving_api.protos import error_codes_pb2, regression_pb2, types_pb2
from services.serving_api.signatures import Signature

METHOD_NAME = "tensorflow/serving/regress"
INPUTS, OUTPUTS = "inputs", "outputs"


def regress(
    servable: Servable, signature_name: str, examples: npt.NDArray[Any]
) -> regression_pb2.RegressionResult:
    """Returns one value for each example.

    Args:
        servable: what to run.
        signature_name: a signature with the input `inputs` string[N] and the output `outputs`
            float32[N] or float32[N, 1].
        examples: serialized `tf.Example`, of shape [N].

    Raises:
        ServingError: the signature is no such one, or its output is not of that shape.
    """
    _check_signature(servable.signatures[signature_name])
    values = servable.run(signature_name, {INPUTS: examples}, [OUTPUTS])[OUTPUTS]
    if values.ndim not in (1, 2) or values.shape[1:] not in ((), (1,)):
        raise invalid_argument(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"{list(values.shape)}"
        )
    if len(values) != len(examples):
        raise invalid_argument(
            f"Input batch size did not match output batch size: {len(examples)} vs. {len(values)}"
        )
    result = regression_pb2.RegressionResult()
    for value in values.ravel().tolist():
        result.regressions.add(value=value)
    return result


def _check_signature(signature: Signature) -> None:
    for kind, tensors in (("input", signature.inputs), ("output", signature.outputs)):
        if len(tensors) != 1:
            raise invalid_argument(f"Expected one {kind} Tensor.")
    for kind, name, tensors in (
        ("inputs", INPUTS, signature.inputs),
        ("outputs", OUTPUTS, signature.outputs),
    ):
        if name not in tensors:
            raise ServingError(
                error_codes_pb2.FAILED_PRECONDITION,
                f"No regression {kind} found in SignatureDef: {sorted(tensors)}, expected {name!r}",
            )
    data_type = signature.outputs[OUTPUTS].data_type
    if data_type != types_pb2.DT_FLOAT:
        raise invalid_argument(
            f"Expected output Tensor of DT_FLOAT.  Got: {types_pb2.DataType.Name(data_type)}"
        )
