"""Batches put together and taken apart, held against numpy on each request alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model_server.batching.tensors import count_rows, merge, split
from services.model_server.errors import ServingError
from services.serving_api.protos import error_codes_pb2

SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@given(SIZES, st.integers(0, 4))
def test_split_undoes_merge(sizes: list[int], padding: int) -> None:
    generator = np.random.default_rng(sum(sizes))
    requests = [{"x": generator.random((size, 3)), "n": np.arange(size)} for size in sizes]
    padded = sum(sizes) + padding
    merged = merge(requests, padded, pad_inputs=False)
    assert {len(array) for array in merged.values()} == {padded}
    for request, part in zip(requests, split(merged, sizes, padded), strict=True):
        for name, array in request.items():
            np.testing.assert_array_equal(part[name], array)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=5))
def test_variable_lengths_are_padded_with_the_first_element(shapes: list[tuple[int, int]]) -> None:
    arrays = [np.arange(1, rows * columns + 1).reshape(rows, columns) for rows, columns in shapes]
    sizes = [len(array) for array in arrays]
    merged = merge([{"x": array} for array in arrays], sum(sizes), pad_inputs=True)
    width = max(columns for _, columns in shapes)
    oracle = [
        np.pad(array, ((0, 0), (0, width - array.shape[1])), constant_values=array[0, 0])
        for array in arrays
    ]
    np.testing.assert_array_equal(merged["x"], np.concatenate(oracle))


def test_rows_that_are_missing_repeat_a_valid_one() -> None:
    merged = merge([{"x": np.array([1, 2])}, {"x": np.array([3, 4])}], 6, pad_inputs=False)
    assert merged["x"].tolist() == [1, 2, 3, 4, 3, 3]


def test_strings_are_merged_and_padded() -> None:
    words = [np.array([[b"a", b"b"]], object), np.array([[b"c"]], object)]
    merged = merge([{"x": each} for each in words], 2, pad_inputs=True)
    assert merged["x"].tolist() == [[b"a", b"b"], [b"c", b"c"]]


def test_an_empty_tensor_cannot_be_padded() -> None:
    with pytest.raises(ServingError, match="Got empty tensor"):
        merge([{"x": np.ones((1, 0))}, {"x": np.ones((1, 2))}], 2, pad_inputs=True)


@pytest.mark.parametrize("output", [np.array(1.0), np.ones(3)])
def test_an_output_without_a_row_for_each_input_is_refused(output: np.ndarray) -> None:
    with pytest.raises(ServingError, match="0th dimension") as caught:
        split({"y": output}, [1, 1], 2)
    assert caught.value.code == error_codes_pb2.FAILED_PRECONDITION


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": np.ones(2), "y": np.ones(3)}, "equal 0th-dimension size"),
        ({"x": np.array(1.0)}, "at least one dimension"),
    ],
)
def test_inputs_share_their_first_dimension(inputs: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        count_rows(inputs)
    assert caught.value.code == error_codes_pb2.INVALID_ARGUMENT
