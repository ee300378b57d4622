"""Replays the requests that a model brings along, so that no client meets a cold graph.

The protocol: https://www.tensorflow.org/tfx/serving/saved_model_warmup
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structlog
import tensorflow as tf
from google.protobuf.message import DecodeError

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.operations.example_inference import (
    answer_classify,
    answer_multi_inference,
    answer_regress,
)
from services.model_server.operations.predict_proto import answer_predict
from services.model_server.servables.cancellation import current_cancellation
from services.model_server.servables.servable import Servable
from services.serving_api.protos import error_codes_pb2, prediction_log_pb2

WARMUP_PATH = Path("assets.extra") / "tf_serving_warmup_requests"
MAX_RECORDS = 1000

_log = structlog.get_logger(__name__)


def warm_up(servable: Servable, model_path: Path, iterations: int = 1) -> None:
    """Replay the warm-up records of a SavedModel.

    Args:
        servable: the loaded model.
        model_path: its folder, with the TFRecord of `PredictionLog` in `assets.extra`.
        iterations: how often to replay each record.

    Raises:
        ServingError: the file is damaged, holds over 1000 records, or one of them failed.
    """
    path = model_path / WARMUP_PATH
    start = time.perf_counter()
    number = 0
    for number, record in enumerate(_read_records(path), start=1):
        if number > MAX_RECORDS:
            raise invalid_argument(f"{path} holds over {MAX_RECORDS} warm-up records, the maximum")
        current_cancellation().check()
        try:
            for _ in range(iterations):
                _replay(servable, record)
        except ServingError as error:
            raise ServingError(
                error.code, f"warm-up record {number} of {path} failed: {error.message}"
            ) from None
    seconds = round(time.perf_counter() - start, 3)
    _log.info("warmed up", path=str(model_path), records=number, seconds=seconds)


def _read_records(path: Path) -> Iterator[bytes]:
    try:
        yield from tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    except tf.errors.OpError as error:
        raise ServingError(
            error.error_code, f"{path} is not a TFRecord file: {error.message}"
        ) from None


def _replay(servable: Servable, record: bytes) -> None:
    try:
        log = prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError:
        raise invalid_argument("it is not a PredictionLog") from None
    kind = log.WhichOneof("log_type")
    if kind not in _ANSWERS:
        raise ServingError(
            error_codes_pb2.UNIMPLEMENTED,
            f"its type is {kind}, expected one of {', '.join(_ANSWERS)}",
        )
    _ANSWERS[kind](servable, 0, getattr(log, kind).request)


_ANSWERS: dict[str, Callable[[Servable, int, Any], Any]] = {
    "predict_log": answer_predict,
    "classify_log": answer_classify,
    "regress_log": answer_regress,
    "multi_inference_log": answer_multi_inference,
}
