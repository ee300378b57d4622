"""Warm-up records are replayed, and a broken one keeps the version from serving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from structlog.testing import capture_logs

from services.model_server.errors import ServingError
from services.model_server.inference.metrics import Metrics
from services.model_server.inference.warmup import MAX_RECORDS, WARMUP_PATH, warm_up, warming_loader
from services.model_server.loading.loader import load
from services.model_server.servables.servable import Servable, ServableId
from services.serving_api.protos import error_codes_pb2, predict_pb2, prediction_log_pb2
from tests.contract.models import export_tf1

MakeRequest = Callable[..., predict_pb2.PredictRequest]


class CountingServable:
    """Passes everything on and counts the runs."""

    def __init__(self, path: Path) -> None:
        self._servable = load(path)
        self.signatures = self._servable.signatures
        self.ran: list[str] = []

    def run(self, signature_name: str, *rest: object) -> dict[str, np.ndarray]:
        self.ran.append(signature_name)
        return self._servable.run(signature_name, *rest)


@pytest.fixture(scope="module")
def loaded(exported: dict[float, Path]) -> Iterator[CountingServable]:
    servable = CountingServable(exported[0.5])
    yield servable
    servable._servable.close()


@pytest.fixture
def servable(loaded: CountingServable) -> CountingServable:
    loaded.ran.clear()
    return loaded


def load_warm(path: Path, metrics: Metrics | None = None) -> Servable:
    metrics = metrics or Metrics()
    load_version = warming_loader(lambda _, path: load(path), metrics.loads)
    return load_version(ServableId("half_plus_two", 1), path)


def write(version: Path, *records: bytes) -> None:
    path = version / WARMUP_PATH
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def log_of(request: predict_pb2.PredictRequest) -> bytes:
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(request)
    return log.SerializeToString()


def test_every_record_runs_and_the_log_says_so(
    servable: CountingServable, make_request: MakeRequest, tmp_path: Path
) -> None:
    scale = make_request(x=np.ones((1, 1), np.float32))
    shout = make_request("shout", text=np.array([b"a"], np.object_))
    write(tmp_path, log_of(scale), log_of(shout))
    with capture_logs() as logs:
        warm_up(servable, tmp_path)
    assert servable.ran == ["serving_default", "shout"]
    [entry] = logs
    assert (entry["event"], entry["records"]) == ("warmed up", 2)
    assert entry["seconds"] >= 0


def test_a_failing_record_is_numbered_and_fails_the_load(
    make_request: MakeRequest, publish: Callable[..., Path]
) -> None:
    version = publish(1)
    good, bad = make_request(x=np.ones((1, 1), np.float32)), make_request(x=np.ones(1, np.int32))
    write(version, log_of(good), log_of(bad))
    with pytest.raises(ServingError, match=r"warm-up record 2 of .* failed: .*float32") as caught:
        load_warm(version)
    assert caught.value.code == error_codes_pb2.INVALID_ARGUMENT


def test_another_kind_of_record(servable: CountingServable, tmp_path: Path) -> None:
    log = prediction_log_pb2.PredictionLog()
    log.session_run_log.SetInParent()
    write(tmp_path, log.SerializeToString())
    with pytest.raises(ServingError, match="type is session_run_log") as caught:
        warm_up(servable, tmp_path)
    assert caught.value.code == error_codes_pb2.UNIMPLEMENTED


def test_a_record_that_is_no_prediction_log(servable: CountingServable, tmp_path: Path) -> None:
    write(tmp_path, b"\xff\xff\xff")
    with pytest.raises(ServingError, match=r"record 1 of .* failed: it is not a PredictionLog"):
        warm_up(servable, tmp_path)


def test_a_file_that_holds_no_records(servable: CountingServable, tmp_path: Path) -> None:
    (tmp_path / WARMUP_PATH).parent.mkdir()
    (tmp_path / WARMUP_PATH).write_bytes(b"this is not a TFRecord file at all")
    with pytest.raises(ServingError, match="is not a TFRecord file"):
        warm_up(servable, tmp_path)


def test_too_many_records(
    servable: CountingServable, make_request: MakeRequest, tmp_path: Path
) -> None:
    record = log_of(make_request(x=np.ones((1, 1), np.float32)))
    write(tmp_path, *[record] * (MAX_RECORDS + 1))
    with pytest.raises(ServingError, match="holds over 1000 warm-up records"):
        warm_up(servable, tmp_path)


def test_records_are_repeated_as_often_as_asked(
    servable: CountingServable, make_request: MakeRequest, tmp_path: Path
) -> None:
    write(tmp_path, log_of(make_request(x=np.ones((1, 1), np.float32))))
    warm_up(servable, tmp_path, iterations=3)
    assert servable.ran == ["serving_default"] * 3


def test_a_version_without_records_is_ready_at_once(publish: Callable[..., Path]) -> None:
    load_warm(publish(1)).close()


def test_classify_regress_and_multi_inference_are_replayed(tmp_path: Path) -> None:
    export_tf1(tmp_path / "1")
    regress, classify, multi = (prediction_log_pb2.PredictionLog() for _ in range(3))
    regress.regress_log.request.model_spec.signature_name = "regress_x_to_y"
    classify.classify_log.request.model_spec.signature_name = "classify_x_to_y"
    task = multi.multi_inference_log.request.tasks.add(method_name="tensorflow/serving/regress")
    task.model_spec.name = "m"
    task.model_spec.signature_name = "regress_x2_to_y3"
    for request in (
        regress.regress_log.request,
        classify.classify_log.request,
        multi.multi_inference_log.request,
    ):
        example = request.input.example_list.examples.add()
        example.features.feature["x"].float_list.value.append(1)
    write(tmp_path / "1", *(log.SerializeToString() for log in (regress, classify, multi)))
    with capture_logs() as logs:
        load_warm(tmp_path / "1").close()
    assert [entry["records"] for entry in logs] == [3]


def test_a_warm_up_is_timed(publish: Callable[..., Path], make_request: MakeRequest) -> None:
    path = publish(1)
    write(path, log_of(make_request(x=np.ones((1, 1), np.float32))))
    metrics = Metrics()
    load_warm(path, metrics).close()
    page = metrics.page().decode()
    labels = f'{{model_path="{path}",status="OK"}}'
    assert f":tensorflow:serving:model_warmup_latency_count{labels} 1.0" in page
    assert ":tensorflow:serving:request_count{" not in page
