"""Replays the requests that a model brings along, so that its first client waits for nothing.

The protocol: https://www.tensorflow.org/tfx/serving/saved_model_warmup
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from google.protobuf.message import DecodeError

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.inference.data_plane import DataPlane, Models
from services.model_server.inference.metrics import Metrics
from services.model_server.metrics.load_metrics import LoadMetrics
from services.model_server.models.manager import Lease
from services.model_server.servables.cancellation import current_cancellation
from services.model_server.servables.servable import Load, Servable, ServableId
from services.serving_api.protos import error_codes_pb2, model_pb2, prediction_log_pb2

WARMUP_PATH = Path("assets.extra") / "tf_serving_warmup_requests"
MAX_RECORDS = 1000

_METRICS = Metrics()
"""Those of warm-up requests, which are no client's and are shown nowhere."""

_log = structlog.get_logger(__name__)


def warming_loader(
    load: Load, metrics: LoadMetrics, iterations: int = 1, *, first_record_only: bool = False
) -> Load:
    """Returns a `load` that replays a version's warm-up records before it returns.

    Args:
        load: Loads a version.
        metrics: Time the replays.
        iterations: How often each record is replayed.
        first_record_only: Leave the other records out.
    """

    def load_warm(servable_id: ServableId, path: Path) -> Servable:
        servable = load(servable_id, path)
        if (path / WARMUP_PATH).is_file():
            try:
                with metrics.warm_up(path):
                    warm_up(servable, path, iterations, first_record_only=first_record_only)
            except Exception:
                servable.close()
                raise
        return servable

    return load_warm


def warm_up(
    servable: Servable, model_path: Path, iterations: int = 1, *, first_record_only: bool = False
) -> None:
    """Replays the warm-up records of a SavedModel.

    Args:
        servable: The loaded model.
        model_path: Its folder, with the TFRecord of `PredictionLog` in `assets.extra`.
        iterations: How often each record is replayed.
        first_record_only: Leave the other records out.

    Raises:
        ServingError: the file is damaged, holds over 1000 records, or one of them failed.
    """
    start = time.perf_counter()
    limit = 1 if first_record_only else None
    replays = replay_records(_OneServable(servable), model_path, iterations)
    records = sum(1 for _ in islice(replays, limit))
    seconds = round(time.perf_counter() - start, 3)
    _log.info("warmed up", path=str(model_path), records=records, seconds=seconds)


def replay_records(models: Models, model_path: Path, iterations: int = 1) -> Iterator[None]:
    """Replays the warm-up records of a SavedModel, and yields after each.

    Args:
        models: Lends the loaded model, whatever model a record names.
        model_path: See `warm_up`.
        iterations: See `warm_up`.

    Raises:
        ServingError: See `warm_up`.
    """
    path = model_path / WARMUP_PATH
    data_plane = DataPlane(models, "WARMUP", _METRICS)
    for number, record in enumerate(_read_records(path), start=1):
        if number > MAX_RECORDS:
            raise invalid_argument(f"{path} holds over {MAX_RECORDS} warm-up records, the maximum")
        current_cancellation().check()
        try:
            for _ in range(iterations):
                _replay(data_plane, record)
        except ServingError as error:
            raise ServingError(
                error.code, f"warm-up record {number} of {path} failed: {error.message}"
            ) from None
        yield


class _OneServable(NamedTuple):
    """Lends the servable that is warmed up, whatever model a record names."""

    servable: Servable

    @contextmanager
    def lease(self, _spec: model_pb2.ModelSpec) -> Iterator[Lease]:
        yield Lease(self.servable, 0)

    def knows(self, _name: str) -> bool:
        return False


def _read_records(path: Path) -> Iterator[bytes]:
    # TensorFlow takes a second to import, which must not keep the ports closed.
    from services.model_server.servables.tensorflow_core import (  # noqa: PLC0415
        OpError,
        RecordIterator,
    )

    try:
        yield from RecordIterator(str(path), "")
    except OpError as error:
        raise ServingError(
            error.error_code, f"{path} is not a TFRecord file: {error.message}"
        ) from None


def _replay(data_plane: DataPlane, record: bytes) -> None:
    try:
        log = prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError:
        raise invalid_argument("it is not a PredictionLog") from None
    calls: dict[str, Callable[[Any], object]] = {
        "predict_log": data_plane.predict,
        "classify_log": data_plane.classify,
        "regress_log": data_plane.regress,
        "multi_inference_log": data_plane.multi_inference,
    }
    kind = log.WhichOneof("log_type")
    if kind not in calls:
        raise ServingError(
            error_codes_pb2.UNIMPLEMENTED,
            f"its type is {kind}, expected one of {', '.join(calls)}",
        )
    request = getattr(log, kind).request
    if kind != "multi_inference_log":
        # Needless here, but without it a request is refused.
        request.model_spec.SetInParent()
    calls[kind](request)
