"""Bodies are parsed as TensorFlow Serving parses them, within a limit of memory."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving_api.rest_json.errors import JsonError, TooManyValuesError
from services.serving_api.rest_json.parsing import count_values, parse_json, parse_predict_json
from tests.processes import ROOT

TOKENS = {
    "NaN": math.nan,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
    "Inf": math.inf,
    "-Inf": -math.inf,
}
DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(['Inf, "', "[-Inf]", "NaN\\", "Infinity"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(DOCUMENTS)
def test_every_document_survives(document: object) -> None:
    text = json.dumps(document, ensure_ascii=False)
    # Not a number differs from itself.
    assert repr(parse_json(text.encode())) == repr(document)


@given(st.lists(st.sampled_from(list(TOKENS)) | st.text(max_size=5).map(json.dumps)))
def test_tokens_in_strings_are_text(items: list[str]) -> None:
    expected = [TOKENS[item] if item in TOKENS else json.loads(item) for item in items]
    assert repr(parse_json(f"[{', '.join(items)}]".encode())) == repr(expected)


@pytest.mark.parametrize(("token", "value"), TOKENS.items())
def test_tokens(token: str, value: float) -> None:
    body = f'{{"a": [{token}, 1], "{token}": "\\"{token}, {token}", "b": {token}}}'.encode()
    expected = {"a": [value, 1], token: f'"{token}, {token}', "b": value}
    assert repr(parse_json(body)) == repr(expected)


@pytest.mark.parametrize(
    "token", ["Infinit", "Infi", "nan", "inf", "+Inf", "-NaN", "1NaN", "InfInf"]
)
def test_other_tokens_are_refused(token: str) -> None:
    with pytest.raises(JsonError, match="the body is not JSON"):
        parse_json(f"[{token}]".encode())


@pytest.mark.parametrize("parse", [parse_json, parse_predict_json])
def test_a_byte_order_mark_is_skipped(parse: object) -> None:
    for text in ('{"inputs": [1]}', '{"inputs": [NaN]}', '{"inputs": [1]}' + " " * 5000):
        marked, plain = (repr(parse(text.encode(form))) for form in ("utf-8-sig", "utf-8"))
        assert marked == plain


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b" ",
            b"\xef\xbb\xbf",
            b"\xff",
            b"[1",
            b"1e400",
            b"9" * 5000,
            b"NaN[",
            b"[" * 100_000,
        ),
        *(b'["\xed\xa0\x80", NaN]', b'["\\ud800", NaN]', "[NaN]".encode("utf-16"), b"[1e400, NaN]"),
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(JsonError, match="JSON Parse error"):
        parse_json(body)


def test_arrays_come_in_the_dtype_that_holds_their_numbers() -> None:
    for number, dtype in (("1", np.int64), (str(2**64 - 1), np.uint64), ("1.5", np.float64)):
        text = '{"inputs": [1' + f", {number}" * 1000 + "]}"
        assert parse_predict_json(text.encode())["inputs"].dtype == dtype


@pytest.mark.parametrize("unit", ["1", "[]", "{}", '""', '{"":1}', "[1]", '{"a":{"b":[]}}'])
def test_small_bodies_have_no_more_values_than_their_bytes_tell(unit: str) -> None:
    text = ("[" + ",".join([unit] * 1000) + "]").encode()
    assert count_values(text) <= 2 * len(text)
    values = count_values(text)
    assert parse_json(text, values) == orjson.loads(text)
    with pytest.raises(TooManyValuesError, match=f"some {values} values .* at most {values - 1}"):
        parse_json(text, values - 1)


def test_the_lists_of_an_array_of_numbers_are_not_counted() -> None:
    body = b'{"inputs": [' + b",".join([b"[1]"] * 1000) + b"]}"
    assert parse_predict_json(body, 1000)["inputs"].shape == (1000, 1)
    with pytest.raises(TooManyValuesError):
        parse_predict_json(body, 900)


MEMORY = """
import json, sys
from services.serving_api.protos import types_pb2
from services.serving_api.rest_json.errors import JsonError
from services.serving_api.rest_json.examples import parse_examples_body
from services.serving_api.rest_json.predict import parse_predict_body, to_arrays
from services.serving_api.signatures import TensorSpec

M = 2**20
LIMIT = 1_000_000

def status(field):
    [line] = [line for line in open("/proc/self/status") if line.startswith(field)]
    return int(line.split()[1]) / 1024

def filled(key, unit, count=None):
    count = count or (16 * M - 40) // (len(unit) + 1)
    return b'{"%b":[' % key + b",".join([unit] * count) + b"]}"

def one(inner):
    return b'{"instances":[' + inner + b"]}"

floats = b",".join([b"0.5"] * 400_000)
bodies = {
    "one string": one(b'"' + b"a" * (16 * M - 40) + b'"'),
    "one string of emoji": one(b'"' + "\\U0001F600".encode() * (4 * M - 20) + b'"'),
    "an emoji in a string, and a token": one(b'NaN,"\\xf0\\x9f\\x98\\x80' + b"a" * (8 * M) + b'"'),
    "a string of escapes": one(b'"' + b"\\\\u0041" * 2_700_000 + b'"'),
    "a string among few numbers": one(b'"' + b"a" * 200_000 + b'",' + floats[:3000] + b"1"),
    "a string among many numbers": one(b'"' + b"a" * (2 * M) + b'",' + floats),
    "objects": filled(b"instances", b'{"x":1}'),
    "objects within the limit": filled(b"instances", b'{"x":1}', 120_000),
    "empty objects within the limit": filled(b"instances", b"{}", 160_000),
    "lists within the limit": filled(b"instances", b"[0.5]", 330_000),
    "numbers within the limit": filled(b"instances", b"0.5", 990_000),
    "tokens within the limit": filled(b"instances", b"NaN", 990_000),
    "short tokens within the limit": filled(b"instances", b"Inf", 990_000),
    "a token and numbers within the limit": one(b"Inf," + floats * 2),
    "open lists": b'{"instances":' + b"[" * (8 * M),
    "open objects": b'{"instances":' + b'{"a":' * (3 * M),
    "columns": b'{"inputs":{"x":[' + floats + b"]}}",
}
readers = {
    "float32": lambda body: to_arrays(
        parse_predict_body(body, LIMIT), {"x": TensorSpec(types_pb2.DT_FLOAT, None)}
    ),
    "string": lambda body: to_arrays(
        parse_predict_body(body, LIMIT), {"x": TensorSpec(types_pb2.DT_STRING, None)}
    ),
    "examples": lambda body: parse_examples_body(
        body.replace(b"instances", b"examples"), LIMIT
    ),
}
growth = {}
for reader, read in readers.items():
    for name, body in bodies.items():
        open("/proc/self/clear_refs", "w").write("5")
        before = status("VmRSS")
        try:
            read(body)
        except JsonError:
            pass
        growth[f"{reader}: {name}"] = [len(body) / M, status("VmHWM") - before]
json.dump(growth, sys.stdout)
"""


def test_no_body_takes_more_memory_than_a_few_times_its_size() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", MEMORY], check=True, capture_output=True, text=True, cwd=ROOT
    )
    growth = json.loads(answer.stdout)
    assert len(growth) == 51
    # MiB: what as many values as may be take, and the body as text of the widest kind.
    assert {name: each for name, each in growth.items() if each[1] > 100 + 6 * each[0]} == {}
