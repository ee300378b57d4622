"""BatchingParameters as TensorFlow Serving writes them, and each mistake by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.model_server.batching.parameters import (
    BatchingParameters,
    read_batching_parameters,
)
from services.model_server.config.model_config import ConfigError

FULL = """
max_batch_size { value: 128 }
batch_timeout_micros { value: 500 }
max_enqueued_batches { value: 4 }
num_batch_threads { value: 3 }
thread_pool_name { value: "model_server_batch_threads" }
allowed_batch_sizes: 8
allowed_batch_sizes: 32
pad_variable_length_inputs: true
enable_large_batch_splitting { value: true }
max_execution_batch_size { value: 32 }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "batching.pbtxt"


def test_every_field_is_read(path: Path) -> None:
    path.write_text(FULL)
    assert read_batching_parameters(path) == BatchingParameters(
        max_batch_size=128,
        batch_timeout_micros=500,
        max_enqueued_batches=4,
        num_batch_threads=3,
        thread_pool_name="model_server_batch_threads",
        allowed_batch_sizes=(8, 32),
        pad_variable_length_inputs=True,
        enable_large_batch_splitting=True,
        max_execution_batch_size=32,
    )


def test_an_empty_file_means_the_defaults(path: Path) -> None:
    path.write_text("")
    assert read_batching_parameters(path) == BatchingParameters()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_size: 8", "Error parsing text-format tensorflow.serving.BatchingParameters"),
        ("max_batch_sice { value: 8 }", "no field named"),
        ("max_batch_size { value: 0 }", "max_batch_size 0, expected at least 1"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros -1, expected at least 0"),
        ("num_batch_threads { value: 0 }", "num_batch_threads 0, expected at least 1"),
        ("allowed_batch_sizes: 8 allowed_batch_sizes: 4", "ascending order"),
        ("allowed_batch_sizes: 4 allowed_batch_sizes: 8", "last entry was 8; expected 1000"),
    ],
)
def test_a_mistake_is_named(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_batching_parameters(path)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_batching_parameters(path)


@pytest.mark.parametrize(("rows", "padded"), [(1, 2), (2, 2), (3, 8), (8, 8), (9, 9)])
def test_a_batch_is_padded_to_the_next_allowed_size(rows: int, padded: int) -> None:
    assert BatchingParameters(allowed_batch_sizes=(2, 8)).padded_size(rows) == padded
