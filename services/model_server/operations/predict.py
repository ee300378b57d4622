"""Runs one signature of a servable on checked inputs.

Messages and codes are those of tensorflow_serving/servables/tensorflow/predict_util.cc.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy.typing as npt

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.servables.servable import Arrays, Servable
from services.serving_api.dtypes import DTYPES, data_type_name, data_type_of
from services.serving_api.protos import error_codes_pb2
from services.serving_api.signatures import Signature, TensorSpec

DEFAULT_SIGNATURE = "serving_default"


def predict(
    servable: Servable, signature_name: str, inputs: Arrays, output_filter: Sequence[str] = ()
) -> dict[str, npt.NDArray[Any]]:
    """Compute the outputs of a signature.

    Shapes are left to the graph, as TensorFlow Serving does: an input of shape [3] is fine for a
    signature that says [N, 1] if the operations take it.

    Args:
        servable: what to run.
        signature_name: which of its signatures.
        inputs: one array an input, of the signature's dtype.
        output_filter: the outputs to compute, all if empty.

    Raises:
        ServingError: FAILED_PRECONDITION for an unknown signature, INVALID_ARGUMENT for a missing,
            unknown, mistyped or misshapen input or an unknown or repeated output.
    """
    signature = find_signature(servable, signature_name)
    _check_inputs(inputs, signature)
    _check_outputs(output_filter, signature)
    try:
        return servable.run(signature_name, inputs, output_filter or list(signature.outputs))
    except ServingError as error:
        raise _name_causes(error, inputs, signature) from None


def find_signature(servable: Servable, signature_name: str) -> Signature:
    """Return a signature.

    Raises:
        ServingError: FAILED_PRECONDITION, the model has none of this name.
    """
    try:
        return servable.signatures[signature_name]
    except KeyError:
        raise ServingError(
            error_codes_pb2.FAILED_PRECONDITION,
            f'Serving signature key "{signature_name}" not found. '
            f"The model has {_set(servable.signatures)}.",
        ) from None


def _check_inputs(inputs: Arrays, signature: Signature) -> None:
    received, expected = inputs.keys(), signature.inputs.keys()
    if received != expected:
        raise invalid_argument(
            f"input size does not match signature: {len(received)}!={len(expected)} "
            f"len({_set(received)}) != len({_set(expected)}). "
            f"Sent extra: {_set(received - expected)}. "
            f"Missing but required: {_set(expected - received)}."
        )
    for name, array in inputs.items():
        _check_dtype(name, array, signature.inputs[name])


def _check_dtype(name: str, array: npt.NDArray[Any], spec: TensorSpec) -> None:
    dtype = DTYPES.get(spec.data_type)
    if dtype is None or array.dtype != dtype.numpy:
        raise invalid_argument(
            f'Expects input "{name}" to be {data_type_name(spec.data_type)} '
            f"but {data_type_name(data_type_of(array.dtype))} is provided."
        )


def _check_outputs(output_filter: Sequence[str], signature: Signature) -> None:
    for name in output_filter:
        if name not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {_set(signature.outputs)}."
            )
    if len(set(output_filter)) != len(output_filter):
        twice = next(name for name in output_filter if output_filter.count(name) > 1)
        raise invalid_argument(f"duplicate output tensor alias: {twice}")


def _name_causes(error: ServingError, inputs: Arrays, signature: Signature) -> ServingError:
    """Put the likely causes before the text of an operation deep in the graph."""
    causes = [
        f'input "{name}" has the shape {list(array.shape)}, the signature says {spec}'
        for name, array in inputs.items()
        if not (spec := signature.inputs[name]).accepts(array.shape)
    ]
    # Some operations take no empty batch, like a convolution on a processor.
    causes += [
        f'input "{name}" has no rows, send at least one'
        for name, array in inputs.items()
        if array.shape[:1] == (0,)
    ]
    return ServingError(error.code, "; ".join([*causes, error.message]))


def _set(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
