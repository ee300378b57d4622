"""Runs one signature of a servable on arrays.

Messages and codes are those of tensorflow_serving/servables/tensorflow/predict_util.cc.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy.typing as npt

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.operations.predict_messages import read_inputs
from services.model_server.servables.servable import Servable
from services.serving_api.arrays import Arrays
from services.serving_api.dtypes import DTYPES, data_type_name, data_type_of
from services.serving_api.protos import error_codes_pb2
from services.serving_api.signatures import Signature, TensorSpec


class UnknownSignatureError(ServingError):
    """A request names a signature that the model does not have.

    Attributes:
        name: the signature.
    """

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(
            error_codes_pb2.FAILED_PRECONDITION,
            f'Serving signature key "{name}" not found. The model has {_set(known)}.',
        )
        self.name = name


def predict(
    servable: Servable, signature_name: str, inputs: Arrays, output_filter: Sequence[str] = ()
) -> dict[str, npt.NDArray[Any]]:
    """Computes the outputs of a signature.

    Shapes are left to the graph, as in TensorFlow Serving: a signature that says [N, 1] takes an
    input of shape [3] if its operations do.

    Args:
        servable: runs the signature.
        signature_name: its name.
        inputs: one array per input, of the signature's dtype.
        output_filter: the outputs to compute; all if empty.

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


def add_defaults(servable: Servable, signature_name: str, inputs: Arrays) -> Arrays:
    """Returns the inputs, with the default values that the signature has for missing ones.

    TensorFlow writes a default for each parameter of a signature's function that has one.
    """
    missing = servable.signatures[signature_name].inputs.keys() - inputs.keys()
    if not missing:
        return inputs
    defaults = servable.signature_defs[signature_name].defaults
    return {**inputs, **read_inputs({name: defaults[name] for name in missing & set(defaults)})}


def find_signature(servable: Servable, signature_name: str) -> Signature:
    """Returns a signature.

    Raises:
        UnknownSignatureError: the model has none of this name.
    """
    try:
        return servable.signatures[signature_name]
    except KeyError:
        raise UnknownSignatureError(signature_name, servable.signatures) from None


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
    """Puts the likely causes before the text of an operation deep in the graph."""
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
