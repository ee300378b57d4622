"""Puts the inputs of several requests together into one batch, and takes its outputs apart.

Source: tensorflow_serving/batching/batching_session.cc and batching_util.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from services.model_server.errors import ServingError, invalid_argument
from services.serving_api.arrays import Arrays
from services.serving_api.protos import error_codes_pb2

_Array = npt.NDArray[Any]


def count_rows(inputs: Arrays) -> int:
    """Returns the first dimension, which all inputs must share.

    Raises:
        ServingError: INVALID_ARGUMENT, they do not, or one has no dimension.
    """
    shapes = {name: array.shape for name, array in inputs.items()}
    if () in shapes.values():
        raise invalid_argument(
            f"Batching Run() input tensors must have at least one dimension: received {shapes}"
        )
    sizes: set[int] = {shape[0] for shape in shapes.values()}
    if len(sizes) != 1:
        raise invalid_argument(
            "Batching Run() input tensors must have equal 0th-dimension size: "
            f"received the shapes {shapes}"
        )
    return sizes.pop()


def merge(requests: Sequence[Arrays], padded_size: int, *, pad_inputs: bool) -> dict[str, _Array]:
    """Concatenates the inputs of requests along the batch dimension.

    Args:
        requests: the inputs of each; at least one.
        padded_size: how many rows the batch shall have; what is missing repeats a valid row.
        pad_inputs: whether the other dimensions are padded to the largest, with the first
            element of each tensor.

    Raises:
        ServingError: INVALID_ARGUMENT, an empty tensor would have to be padded.
    """
    return {
        name: _concatenate([inputs[name] for inputs in requests], padded_size, pad_inputs)
        for name in requests[0]
    }


def split(outputs: Arrays, sizes: Sequence[int], padded_size: int) -> list[dict[str, _Array]]:
    """Cuts the outputs of a batch into those of its requests, as views.

    Raises:
        ServingError: FAILED_PRECONDITION, an output has not one row for each input row.
    """
    for name, array in outputs.items():
        if not array.ndim or len(array) != padded_size:
            raise ServingError(
                error_codes_pb2.FAILED_PRECONDITION,
                "Batched output tensor's 0th dimension does not equal the sum of the 0th "
                f"dimension sizes of the input tensors: output {name!r} has the shape "
                f"{array.shape} for {padded_size} rows",
            )
    bounds = pairwise(accumulate(sizes, initial=0))
    return [{name: array[start:end] for name, array in outputs.items()} for start, end in bounds]


def _concatenate(arrays: list[_Array], padded_size: int, pad_inputs: bool) -> _Array:
    if pad_inputs:
        largest = tuple(map(max, zip(*(array.shape[1:] for array in arrays), strict=True)))
        arrays = [_pad(array, largest) for array in arrays]
    missing = padded_size - sum(map(len, arrays))
    if missing:
        arrays.append(np.repeat(arrays[-1][:1], missing, axis=0))
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _pad(array: _Array, row_shape: tuple[int, ...]) -> _Array:
    if array.shape[1:] == row_shape:
        return array
    if not array.size:
        raise invalid_argument("Got empty tensor in batch of non-empty tensors.")
    padded = np.full((len(array), *row_shape), array.flat[0], array.dtype)
    padded[tuple(slice(size) for size in array.shape)] = array
    return padded
