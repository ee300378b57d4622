"""Reads JSON whose bulk is one array of numbers, without a Python list for each of its rows.

An image of 28 rows and 28 columns is some 800 lists, which cost several times what the text does.
Here simdjson writes the numbers into one buffer; the shape comes from what is left without them.
Whatever is not plainly such an array is for the ordinary parser.
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
"""Below this the ordinary parser is as fast."""

MAX_DIMENSIONS = 64
"""Of a numpy array."""

_TENSOR_KEY = re.compile(rb'"(instances|inputs)"\s*:\s*\Z')
"""Before the first bracket; another one may stand in a string."""

_NUMBERS_AND_BLANKS = b"0123456789.+-eE \t\n\r"
_PLACEHOLDER = b"null"


def parse_dense_json(body: bytes) -> dict[str, Any] | None:
    """Parse an object that holds an array of numbers under `instances` or `inputs`.

    Returns:
        What `orjson.loads` returns, but that array as numpy makes it of the lists; None if the body
        is no such object, or not worth the trouble.
    """
    if len(body) < LEAST_BYTES:
        return None
    start, end = body.find(b"["), body.rfind(b"]") + 1
    key = _TENSOR_KEY.search(body, 0, start) if start >= 0 else None
    if key is None:
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
    """Read a JSON array of numbers, nested to any depth, none of its lists empty or ragged.

    Returns:
        The array that numpy makes of the nested lists; None if the text is anything else.
    """
    shape = _shape(text.translate(None, _NUMBERS_AND_BLANKS))
    numbers = _flat_numbers(text) if shape else None
    # Without its numbers an empty list looks like a list of one.
    if numbers is None or numbers.size != math.prod(shape):
        return None
    return numbers.reshape(shape)


def _flat_numbers(text: bytes) -> npt.NDArray[Any] | None:
    try:
        values: Any = simdjson.Parser().parse(text)
        return np.frombuffer(values.as_buffer(of_type="i"), np.int64)
    except TypeError:
        return np.frombuffer(values.as_buffer(of_type="d"), np.float64)
    except (ValueError, RuntimeError):
        # Not JSON, too large for simdjson, or a whole number of more than 64 bits.
        return None


def _shape(structure: bytes) -> list[int]:
    """Return the shape of an array without its numbers; empty if it is ragged or too deep."""
    depth = len(structure) - len(structure.lstrip(b"["))
    if depth > MAX_DIMENSIONS:
        return []
    shape: list[int] = []
    inner = b""
    for start in reversed(range(depth)):
        # The first list at each depth tells the length; all others must then be like it.
        end = structure.find(b"]" * (depth - start), start) + depth - start
        size = (end - start - 1) // (len(inner) + 1)
        shape.insert(0, size)
        inner = b"[" + b",".join([inner] * size) + b"]"
    return shape if inner == structure else []
