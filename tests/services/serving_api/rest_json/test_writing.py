"""Numbers are written so that they read back the same, whatever their dtype."""

from __future__ import annotations

import json
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from services.serving_api.dtypes import DTYPES, is_integer
from services.serving_api.rest_json.predict import format_predictions
from services.serving_api.rest_json.writing import jsonable, jsonable_rows, write_json

FLOATS = sorted(
    {
        dtype.numpy
        for dtype in DTYPES.values()
        if dtype.numpy.kind in "fV" and not is_integer(dtype.numpy)
    },
    key=str,
)


@given(
    npst.arrays(np.float32, npst.array_shapes(min_dims=0, max_dims=3, max_side=4)),
    st.sampled_from(["whole", "rows"]),
)
def test_every_float_is_written_with_its_token(array: np.ndarray, how: str) -> None:
    if how == "rows" and array.ndim:
        text = write_json({"null": list(jsonable_rows("p", array))})
    else:
        text = write_json({"null": jsonable("p", array)})
    np.testing.assert_array_equal(np.array(json.loads(text)["null"], np.float32), array)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_floats_of_every_type_keep_nan_and_infinity(dtype: np.dtype[Any]) -> None:
    values = [np.nan, np.inf, -np.inf, 0.5, 2.0, 0.0]
    with np.errstate(over="ignore", invalid="ignore"):
        array = np.array(values, np.float32).astype(dtype)
    # Not every 8-bit float has an infinity.
    expected = array.astype(np.float32).tolist()
    assert repr(json.loads(format_predictions({"p": array}, "inputs"))["outputs"]) == repr(expected)
    rows = format_predictions({"p": array, "n": np.arange(6)}, "instances")
    assert repr([row["p"] for row in json.loads(rows)["predictions"]]) == repr(expected)


def test_bfloat16_has_all_three_tokens() -> None:
    array = np.array([np.nan, np.inf, -np.inf, 0.5]).astype(ml_dtypes.bfloat16)
    text = format_predictions({"p": array}, "inputs")
    assert text == b'{"outputs":[NaN,Infinity,-Infinity,0.5]}'


@pytest.mark.parametrize("dtype", [ml_dtypes.int4, ml_dtypes.uint4])
def test_integers_of_four_bits_are_written_as_integers(dtype: Any) -> None:
    assert format_predictions({"n": np.array([1, 7], dtype)}, "inputs") == b'{"outputs":[1,7]}'
