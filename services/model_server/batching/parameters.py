"""Reads how to batch: TensorFlow Serving's `BatchingParameters` text proto.

Source: tensorflow_serving/servables/tensorflow/session_bundle_config.proto, which is not among the
Python protos that TensorFlow Serving publishes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format, wrappers_pb2

from services.model_server.config.message_classes import compile_proto, message_classes
from services.model_server.config.model_config import ConfigError

PER_MODEL_FILE = "batching_params.pbtxt"
"""The file of `--enable_per_model_batching_parameters` in the folder of a version."""

_FILE = compile_proto(
    "tensorflow.serving",
    """
    message BatchingParameters {
      google.protobuf.Int64Value max_batch_size = 1;
      google.protobuf.Int64Value batch_timeout_micros = 2;
      google.protobuf.Int64Value max_enqueued_batches = 3;
      google.protobuf.Int64Value num_batch_threads = 4;
      google.protobuf.StringValue thread_pool_name = 5;
      repeated int64 allowed_batch_sizes = 6;
      bool pad_variable_length_inputs = 7;
      google.protobuf.BoolValue enable_large_batch_splitting = 8;
      google.protobuf.Int64Value max_execution_batch_size = 9;
    }
    """,
    wrappers_pb2.DESCRIPTOR,
)
_Message: Any = message_classes(_FILE)["BatchingParameters"]
_MINIMUM = {
    "max_batch_size": 1,
    "batch_timeout_micros": 0,
    "max_enqueued_batches": 1,
    "num_batch_threads": 1,
    "max_execution_batch_size": 1,
}


@dataclass(frozen=True)
class BatchingParameters:
    """How requests are grouped; the defaults are those of TensorFlow's SharedBatchScheduler.

    Attributes:
        max_batch_size: the most rows that one request may have and, unless large batches are
            split, that one batch may have.
        batch_timeout_micros: how long a batch that is not full waits for more, in microseconds.
            With 0 it takes whatever waits as soon as a thread is free.
        max_enqueued_batches: how many batches may wait in one queue.
        num_batch_threads: how many batches may run at once, over all queues.
        thread_pool_name: a label in the metrics; the waiting requests themselves lend threads.
        allowed_batch_sizes: ascending; a batch is padded up to the next of them. Any if empty.
        pad_variable_length_inputs: whether inputs whose other dimensions differ are padded to the
            largest.
        enable_large_batch_splitting: whether a request may run as several batches.
        max_execution_batch_size: the most rows of a batch when large ones are split.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = os.cpu_count() or 1
    thread_pool_name: str = ""
    allowed_batch_sizes: Sequence[int] = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int = 1000

    @property
    def execution_limit(self) -> int:
        """The most rows of one batch."""
        if self.enable_large_batch_splitting:
            return min(self.max_execution_batch_size, self.max_batch_size)
        return self.max_batch_size

    def padded_size(self, size: int) -> int:
        """Returns the smallest allowed batch size that holds this many rows."""
        return next((allowed for allowed in self.allowed_batch_sizes if allowed >= size), size)


def read_batching_parameters(path: Path) -> BatchingParameters:
    """Reads a `--batching_parameters_file`.

    Raises:
        ConfigError: it cannot be read, is no BatchingParameters, or contradicts itself.
    """
    message = _Message()
    try:
        text_format.Parse(path.read_text(encoding="utf-8"), message)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the batching parameters file {path} cannot be read: {error}") from None
    except text_format.ParseError as error:
        raise ConfigError(
            f"Error parsing text-format tensorflow.serving.BatchingParameters: {path}, line {error}"
        ) from None
    values = {
        field.name: getattr(message, field.name).value
        for field in message.DESCRIPTOR.fields
        if field.message_type and message.HasField(field.name)
    }
    parameters = BatchingParameters(
        **values,
        allowed_batch_sizes=tuple(message.allowed_batch_sizes),
        pad_variable_length_inputs=message.pad_variable_length_inputs,
    )
    _check(parameters, path)
    return parameters


def _check(parameters: BatchingParameters, path: Path) -> None:
    for name, minimum in _MINIMUM.items():
        value = getattr(parameters, name)
        if value < minimum:
            raise ConfigError(f"{path} has the {name} {value}, expected at least {minimum}")
    sizes = list(parameters.allowed_batch_sizes)
    if sizes != sorted(set(sizes)):
        raise ConfigError(
            f"allowed_batch_sizes entries must be in ascending order: {path} has {sizes}"
        )
    if sizes and sizes[-1] != parameters.execution_limit:
        raise ConfigError(
            "Last entry in allowed_batch_sizes must match max_batch_size, or "
            "max_execution_batch_size where large batches are split; "
            f"last entry was {sizes[-1]}; expected {parameters.execution_limit} ({path})"
        )
