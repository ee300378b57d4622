"""Parses request bodies: JSON with TensorFlow Serving's tokens, in limited memory.

TensorFlow Serving's parser (RapidJSON with kParseNanAndInfFlag) also takes the tokens NaN, Inf and
Infinity.
"""

from __future__ import annotations

import io
import json
import re
import threading
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from typing import Any

import orjson

from services.serving_api.rest_json.dense import parse_dense_json
from services.serving_api.rest_json.errors import JsonError, TooManyValuesError

DEFAULT_MAX_VALUES = 10_000_000

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOKENS = (b"NaN", b"-Infinity", b"Infinity", b"-Inf", b"Inf")
"""Ordered so that a token comes before those that it contains."""

_STRING_OR_SHORT_INFINITY = re.compile(rb'("(?:[^"\\]++|\\.)*+")|Inf(?!inity)', re.DOTALL)

_LARGE_BYTES = 2**18
_large_bodies = threading.Lock()
"""Held while a large body is parsed. Parsing holds the interpreter lock, so many threads that parse
at once would make all others wait for seconds, including probes."""

_no_lock: AbstractContextManager[object] = nullcontext()


def parse_predict_json(body: bytes, max_values: int = DEFAULT_MAX_VALUES) -> Any:
    """Parses a body like `parse_json`, but faster if it is mostly one array of numbers.

    Returns:
        The document. A list of numbers under `instances` or `inputs`, nested to any depth, may be
        one array.

    Raises:
        TooManyValuesError: the body has more values.
        JsonError: the body is not JSON.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    # A number takes at least two bytes: a digit and a comma.
    if len(body) <= 2 * max_values or body.count(b",") <= max_values:
        with _turn(body):
            document = parse_dense_json(body)
        if document is not None:
            return document
    return parse_json(body, max_values)


def parse_json(body: bytes, max_values: int = DEFAULT_MAX_VALUES) -> Any:
    """Parses a JSON body; skips a byte order mark.

    Args:
        body: UTF-8.
        max_values: the limit of `count_values`.

    Raises:
        TooManyValuesError: the body has more values.
        JsonError: the body is not JSON.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if not body:
        raise JsonError("JSON Parse error: The document is empty")
    # No body has more than two values a byte: `{},` is the densest.
    values = count_values(body) if 2 * len(body) > max_values else 0
    if values > max_values:
        raise TooManyValuesError(
            f"received JSON of some {values} values (a list or a string counts as two, an object "
            f"as five), expected at most {max_values}: send fewer in one request, or columns "
            "('inputs') instead of rows ('instances')"
        )
    with _turn(body):
        return _parse(body)


def count_values(text: bytes) -> int:
    """Returns an estimate of the memory for a JSON text's values, in units of one number.

    In Python a number takes 40 bytes, a string or a list twice as much, and an object five times as
    much. Values are counted by the punctuation in the text, including punctuation inside strings.
    """
    return text.count(b",") + 2 * text.count(b"[") + 5 * text.count(b"{") + text.count(b'"')


def _turn(body: bytes) -> AbstractContextManager[object]:
    """Returns a context manager that lets only one large body be parsed at a time."""
    return _large_bodies if len(body) > _LARGE_BYTES else _no_lock


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not any(token in body for token in _TOKENS):
            raise _not_json(error) from None
    try:
        # The standard library's parser knows the tokens, but also takes text that is not Unicode.
        orjson.loads(reduce(lambda text, token: text.replace(token, b"0"), _TOKENS, body))
        return json.loads(_spell_out(body))
    except (ValueError, RecursionError) as error:
        raise _not_json(error) from None


def _spell_out(body: bytes) -> bytes:
    """Replaces `Inf` by `Infinity`, the token of the standard library, outside of strings."""
    if body.count(b"Inf") == body.count(b"Infinity"):
        return body
    spelled = io.BytesIO()
    end = 0
    for match in _STRING_OR_SHORT_INFINITY.finditer(body):
        if not match[1]:
            spelled.write(body[end : match.end()])
            spelled.write(b"inity")
            end = match.end()
    spelled.write(body[end:])
    return spelled.getvalue()


def _not_json(error: Exception) -> JsonError:
    reason = str(error)
    if "surrogate" in reason:
        reason += "; half of a surrogate pair (\\ud800 to \\udfff) is no text"
    return JsonError(f"JSON Parse error: the body is not JSON: {reason}")
