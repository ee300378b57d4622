"""What comes and goes on disk reaches the manager."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.model_server.config.model_config import single_model
from services.model_server.errors import ServingError
from services.model_server.models.manager import ModelManager, State
from services.model_server.models.poller import Poller
from services.model_server.servables.servable import ServableId

WAIT_SECONDS = 0.02


class FakeServable:
    def close(self) -> None:
        pass


def load(_: ServableId, path: Path) -> FakeServable:
    return FakeServable()


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(WAIT_SECONDS)
    return holds()


def available(manager: ModelManager, name: str = "half_plus_two") -> set[int]:
    try:
        statuses = manager.statuses(name)
    except ServingError:
        return set()
    return {status.version for status in statuses if status.state == State.AVAILABLE}


@pytest.fixture
def manager(base_path: Path) -> Iterator[ModelManager]:
    """A manager with a running poller over a base path that holds version 1."""
    (base_path / "1").mkdir()
    models = single_model("half_plus_two", str(base_path))
    manager = ModelManager(models, load)
    poller = Poller(manager, WAIT_SECONDS)
    poller.watch(models)
    assert eventually(manager.is_ready)
    yield manager
    poller.stop()


def test_a_new_version_is_picked_up(manager: ModelManager, base_path: Path) -> None:
    (base_path / "2").mkdir()
    assert eventually(lambda: available(manager) == {2})


def test_a_vanished_version_is_unloaded_and_may_return(
    manager: ModelManager, base_path: Path
) -> None:
    (base_path / "1").rmdir()
    assert eventually(lambda: available(manager) == set())
    (base_path / "1").mkdir()
    assert eventually(lambda: available(manager) == {1})


def test_a_vanished_base_path_unloads_nothing(manager: ModelManager, base_path: Path) -> None:
    base_path.rename(base_path.with_name("away"))
    time.sleep(10 * WAIT_SECONDS)
    assert available(manager) == {1}


def test_zero_looks_once(base_path: Path) -> None:
    models = single_model("half_plus_two", str(base_path))
    (base_path / "1").mkdir()
    manager = ModelManager(models, load)
    poller = Poller(manager, 0)
    poller.watch(models)
    assert eventually(manager.is_ready)
    (base_path / "2").mkdir()
    time.sleep(10 * WAIT_SECONDS)
    poller.stop()
    assert available(manager) == {1}


def test_below_zero_never_looks(base_path: Path) -> None:
    models = single_model("half_plus_two", str(base_path))
    (base_path / "1").mkdir()
    manager = ModelManager(models, load)
    poller = Poller(manager, -1)
    poller.watch(models)
    time.sleep(10 * WAIT_SECONDS)
    poller.stop()
    assert not manager.is_ready()


def test_a_slow_model_holds_up_no_other(tmp_path: Path) -> None:
    for name in ("slow", "fast"):
        (tmp_path / name / "1").mkdir(parents=True)
    models = [m for name in ("slow", "fast") for m in single_model(name, str(tmp_path / name))]
    may_end = threading.Event()

    def load_by_name(_: ServableId, path: Path) -> FakeServable:
        if path.parent.name == "slow":
            assert may_end.wait(10)
        return FakeServable()

    manager = ModelManager(models, load_by_name)
    poller = Poller(manager, WAIT_SECONDS)
    poller.watch(models)
    assert eventually(lambda: available(manager, "fast") == {1})
    assert not manager.is_ready()
    may_end.set()
    assert eventually(manager.is_ready)
    poller.stop()
