"""Inputs that a signature does not expect: every wrong rank, odd dimensions, extreme values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from services.serving_api.dtypes import DTYPES
from services.serving_api.signatures import Signature, TensorSpec
from tests.hostile.inputs import png

Array = npt.NDArray[Any]

_STRINGS = [
    b"",
    b"\x00",
    b"\xff" * 100,
    b"GIF89a",
    b"BM",
    b"\xff\xd8\xff\xe0",
    png()[:-20],
    png(1, 1),
]


EVERY_RANK = (*range(7), 32)


def right(signature: Signature) -> dict[str, Array]:
    """Return the inputs of a call that is answered."""
    return {name: _filled(spec, _shape(spec)) for name, spec in signature.inputs.items()}


def wrong_ranks(signature: Signature, ranks: Iterable[int]) -> Iterator[dict[str, Array]]:
    """Give the inputs of calls in which one has one of these ranks, the right one aside."""
    return _with_one_odd(signature, partial(_of_ranks, ranks=[*ranks]))


def odd_dimensions(signature: Signature) -> Iterator[dict[str, Array]]:
    """Give the inputs of calls in which one dimension is 0, or larger than it should be."""
    return _with_one_odd(signature, _of_dimensions)


def odd_values(signature: Signature) -> Iterator[dict[str, Array]]:
    """Give the inputs of calls in which one has the extreme values of its dtype."""
    return _with_one_odd(signature, _extremes)


def _with_one_odd(
    signature: Signature, odd: Callable[[TensorSpec], Iterator[Array]]
) -> Iterator[dict[str, Array]]:
    for name, spec in signature.inputs.items():
        for array in odd(spec):
            yield {**right(signature), name: array}


def _of_ranks(spec: TensorSpec, ranks: Sequence[int]) -> Iterator[Array]:
    for rank in ranks:
        if rank != len(_shape(spec)):
            yield _filled(spec, (2 if rank < 7 else 1,) * rank)


def _of_dimensions(spec: TensorSpec) -> Iterator[Array]:
    shape = _shape(spec)
    for axis, right_size in enumerate(shape):
        for size in (0, right_size + 1):
            yield _filled(spec, (*shape[:axis], size, *shape[axis + 1 :]))


def _extremes(spec: TensorSpec) -> Iterator[Array]:
    dtype = DTYPES[spec.data_type].numpy
    if dtype.kind == "O":
        values: list[Any] = _STRINGS
    elif dtype.kind == "f":
        values = [np.nan, -np.inf, np.finfo(dtype).max]
    else:
        values = [np.iinfo(dtype).min, np.iinfo(dtype).max]
    for value in values:
        yield _filled(spec, _shape(spec), value)


def _shape(spec: TensorSpec) -> tuple[int, ...]:
    return tuple(size or 1 for size in spec.shape or ())


def _filled(spec: TensorSpec, shape: tuple[int, ...], value: Any = None) -> Array:
    dtype = DTYPES[spec.data_type].numpy
    if value is None:
        value = png() if dtype.kind == "O" else 0
    return np.full(shape, value, dtype)
