"""Reads JSON that is mostly one array of numbers, without creating a Python list per row.

An image of 28 rows and 28 columns is about 800 lists, which take several times as much memory as
the text. simdjson writes the numbers into one buffer; the shape is found in the text with its
numbers removed. All other JSON is left to the ordinary parser.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import simdjson

LEAST_BYTES = 2048
"""Size in bytes below which the ordinary parser is as fast."""

MAX_DIMENSIONS = 64
"""Maximum number of dimensions of a numpy array."""

MAX_ENVELOPE_BYTES = 2**16
"""Maximum size of the text before and after the array, which the ordinary parser reads."""

_TENSOR_KEY = re.compile(rb'"(instances|inputs)"\s*:\s*\Z')
"""Matches the text before the first bracket, unless that bracket is in a string."""

_MARKS_OF_FLOATS = (b".", b"e", b"E")
_NUMBERS_AND_BLANKS = b"0123456789.+-eE \t\n\r"
_PLACEHOLDER = b"null"


def parse_dense_json(body: bytes) -> dict[str, Any] | None:
    """Parses an object that holds an array of numbers under `instances` or `inputs`.

    Returns:
        The result of `orjson.loads`, with an array in place of nested lists; None if the body has
        another form, or is too small to be faster this way.
    """
    if len(body) < LEAST_BYTES:
        return None
    start, end = body.find(b"[", 0, MAX_ENVELOPE_BYTES), body.rfind(b"]") + 1
    key = _TENSOR_KEY.search(body, 0, start) if start >= 0 else None
    if key is None or len(body) - end > MAX_ENVELOPE_BYTES:
        return None
    try:
        document = orjson.loads(body[:start] + _PLACEHOLDER + body[end:])
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    name = key[1].decode()
    is_tensor = [name] == [each for each, value in document.items() if value is None]
    array = read_dense_array(body[start:end]) if is_tensor else None
    return None if array is None else document | {name: array}


def read_dense_array(text: bytes) -> npt.NDArray[Any] | None:
    """Reads a JSON array of numbers, nested to any depth.

    Returns:
        An array of int64, of uint64 if a number needs it, or of float64 if a number has a decimal
        point or an exponent; None if the text has another form, or a list is empty or ragged.
    """
    if b'"' in text:
        return None
    shape = _shape(text.translate(None, _NUMBERS_AND_BLANKS))
    numbers = _flat_numbers(text) if shape else None
    # Without its numbers, an empty list looks like a list with one number.
    if numbers is None or numbers.size != math.prod(shape):
        return None
    return numbers.reshape(shape)


def _flat_numbers(text: bytes) -> npt.NDArray[Any] | None:
    try:
        values: Any = simdjson.Parser().parse(text)
        if any(mark in text for mark in _MARKS_OF_FLOATS):
            return np.frombuffer(values.as_buffer(of_type="d"), np.float64)
        try:
            return np.frombuffer(values.as_buffer(of_type="i"), np.int64)
        except ValueError:
            return np.frombuffer(values.as_buffer(of_type="u"), np.uint64)
    except (ValueError, RuntimeError):
        # Not JSON, too large for simdjson, or integers that do not all fit one 64-bit type.
        return None


def _shape(structure: bytes) -> list[int]:
    """Returns the shape of an array without its numbers; empty if it is ragged or too deep."""
    depth = len(structure) - len(structure.lstrip(b"["))
    if depth > MAX_DIMENSIONS:
        return []
    shape: list[int] = []
    inner = b""
    for start in reversed(range(depth)):
        # The first list at each depth gives the length that all others must have.
        end = structure.find(b"]" * (depth - start), start) + depth - start
        size = (end - start - 1) // (len(inner) + 1)
        shape.insert(0, size)
        inner = b"[" + (inner + b",") * (size - 1) + inner + b"]"
    return shape if inner == structure else []
