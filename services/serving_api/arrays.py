"""Named arrays: the inputs or outputs of a signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]


def content_bytes(arrays: Arrays) -> int:
    """Returns the size of the arrays in bytes, including their strings."""
    return sum(map(_array_bytes, arrays.values()))


def _array_bytes(array: npt.NDArray[Any]) -> int:
    strings = sum(map(len, array.flat)) if array.dtype.hasobject else 0
    return array.nbytes + strings
