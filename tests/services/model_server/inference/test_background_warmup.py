"""The first version of a model answers early; the rest of its warm-up follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from services.model_server.errors import ServingError
from services.model_server.inference.background_warmup import BackgroundWarmUp
from services.model_server.inference.metrics import Metrics
from services.model_server.loading.loader import load
from services.model_server.models.manager import Lease
from services.model_server.servables.servable import Servable, ServableId
from services.serving_api.protos import error_codes_pb2, model_pb2, predict_pb2
from tests.services.model_server.doubler import wait_for
from tests.services.model_server.inference.test_warmup import CountingServable, log_of, write

ID = ServableId("half_plus_two", 1)


class OneModel:
    """Lends one servable, as the model manager does, and keeps what was asked for."""

    def __init__(self, servable: Servable | None) -> None:
        self.servable = servable
        self.asked: list[tuple[str, int]] = []

    @contextmanager
    def lease(self, spec: model_pb2.ModelSpec) -> Iterator[Lease]:
        self.asked.append((spec.name, spec.version.value))
        if self.servable is None:
            raise ServingError(error_codes_pb2.NOT_FOUND, "it was unloaded")
        yield Lease(self.servable, ID.version)

    def knows(self, _name: str) -> bool:
        return False


@pytest.fixture
def background() -> Iterator[BackgroundWarmUp]:
    background = BackgroundWarmUp()
    yield background
    background.stop()


@pytest.fixture
def version(
    publish: Callable[..., Path], make_request: Callable[..., predict_pb2.PredictRequest]
) -> Path:
    version = publish(1)
    scale = log_of(make_request(x=np.ones((1, 1), np.float32)))
    shout = log_of(make_request("shout", text=np.array([b"a"], np.object_)))
    write(version, scale, shout, scale)
    return version


def load_counting(_: ServableId, path: Path) -> Servable:
    return CountingServable(path)


def test_a_first_version_answers_after_its_first_record(
    background: BackgroundWarmUp, version: Path
) -> None:
    servable = background.loader(load_counting, Metrics().loads)(ID, version)
    assert servable.ran == ["serving_default"]
    models = OneModel(servable)
    background.start(models)
    wait_for(lambda: len(servable.ran) == 4)
    assert servable.ran[1:] == ["serving_default", "shout", "serving_default"]
    assert set(models.asked) == {("half_plus_two", 1)}


def test_a_later_version_is_warmed_up_whole(background: BackgroundWarmUp, version: Path) -> None:
    load_version = background.loader(load_counting, Metrics().loads)
    load_version(ID, version)
    later = load_version(ServableId(ID.name, 2), version)
    assert later.ran == ["serving_default", "shout", "serving_default"]


def test_nothing_is_replayed_while_a_version_loads(
    background: BackgroundWarmUp, version: Path
) -> None:
    first = background.loader(load_counting, Metrics().loads)(ID, version)
    ran_meanwhile = []

    def load_slowly(_: ServableId, path: Path) -> Servable:
        background.start(OneModel(first))
        ran_meanwhile.extend(first.ran)
        return CountingServable(path)

    background.loader(load_slowly, Metrics().loads)(ServableId("another", 1), version)
    assert ran_meanwhile == ["serving_default"]
    wait_for(lambda: len(first.ran) > 1)


def test_what_was_unloaded_meanwhile_is_logged(background: BackgroundWarmUp, version: Path) -> None:
    background.loader(load_counting, Metrics().loads)(ID, version)
    with capture_logs() as logs:
        background.start(OneModel(None))
        wait_for(lambda: bool(logs))
    assert logs[0]["event"] == "not warmed up"
    assert "warm-up record 1" in logs[0]["error"]
    assert "it was unloaded" in logs[0]["error"]


def test_a_version_without_records_is_left_alone(
    background: BackgroundWarmUp, version: Path, publish: Callable[..., Path]
) -> None:
    load_version = background.loader(lambda _, path: load(path), Metrics().loads)
    load_version(ServableId("bare", 1), publish(2))
    models = OneModel(load_version(ID, version))
    background.start(models)
    wait_for(lambda: len(models.asked) == 3)
    assert {name for name, _ in models.asked} == {ID.name}
