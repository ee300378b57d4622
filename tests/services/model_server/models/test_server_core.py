"""Reloading the set of models while it is served, with servables that only remember."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.model_server.config.model_config import ModelConfig, single_model
from services.model_server.errors import ServingError
from services.model_server.models.config_poller import ConfigPoller
from services.model_server.models.manager import ModelManager, State
from services.model_server.models.server_core import ServerCore
from services.model_server.servables.servable import ServableId
from services.serving_api.protos import error_codes_pb2, model_pb2
from tests.processes import wait_until

WAIT_SECONDS = 0.02


class FakeServable:
    def close(self) -> None:
        pass


def load(_: ServableId, path: Path) -> FakeServable:
    if (path / "broken").exists():
        raise ServingError(error_codes_pb2.DATA_LOSS, "it is broken")
    return FakeServable()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        (tmp_path / name / "1").mkdir(parents=True)
    (tmp_path / "bad" / "1" / "broken").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    return tmp_path


def config(folder: Path, name: str, **labels: int) -> ModelConfig:
    [model] = single_model(name, str(folder / name))
    model.version_labels.update(labels)
    return model


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., ServerCore]]:
    """A function that starts a core with model a and waits until it is available."""
    cores = []

    def make(*, allow: bool = False) -> ServerCore:
        models = [config(folder, "a")]
        manager = ModelManager(models, load)
        core = ServerCore(
            manager, models, poll_wait_seconds=WAIT_SECONDS, allow_unavailable_labels=allow
        )
        cores.append(core)
        core.start()
        manager.wait_until_available({"a"}, 10)
        return core

    yield make
    for core in cores:
        core.stop()


def states(core: ServerCore, name: str) -> list[int]:
    return [status.state for status in core.manager.statuses_if_any(name)]


def test_the_set_is_replaced(folder: Path, start: Callable[..., ServerCore]) -> None:
    core = start()
    assert core.reload_config([config(folder, "b")]) == {"b"}
    core.manager.wait_until_available({"b"}, 10)
    assert core.manager.names() == ["b"]
    wait_until(lambda: states(core, "a") == [State.END], 10, "a is unloaded")
    assert core.manager.is_ready()
    assert core.reload_config([config(folder, "a"), config(folder, "b")]) == {"a"}
    core.manager.wait_until_available({"a"}, 10)
    assert states(core, "a") == [State.AVAILABLE]


def test_a_broken_model_is_reported_and_holds_up_no_other(
    folder: Path, start: Callable[..., ServerCore]
) -> None:
    core = start()
    new = core.reload_config([config(folder, name) for name in ("a", "bad", "b")])
    with pytest.raises(ServingError) as caught:
        core.manager.wait_until_available(new, 10)
    assert caught.value.code == error_codes_pb2.UNKNOWN
    assert caught.value.message == (
        "1 model(s) did not become available: {{name: bad version: 1} due to error: it is broken}"
    )
    assert states(core, "a") == states(core, "b") == [State.AVAILABLE]
    assert not core.manager.is_ready()


def test_a_model_without_versions_is_told_at_once(
    folder: Path, start: Callable[..., ServerCore]
) -> None:
    core = start()
    new = core.reload_config([config(folder, "a"), config(folder, "empty")])
    with pytest.raises(ServingError, match=r"\{name: empty\} due to error: no version to serve"):
        core.manager.wait_until_available(new, 10)
    (folder / "empty" / "1").mkdir()
    wait_until(core.manager.is_ready, 10, "the version that came is loaded")


def test_waiting_ends_with_the_deadline(folder: Path) -> None:
    models = [config(folder, "a")]
    manager = ModelManager(models, lambda _, path: threading.Event().wait(0.5) and None)
    core = ServerCore(manager, models, poll_wait_seconds=WAIT_SECONDS)
    core.start()
    with pytest.raises(ServingError) as caught:
        manager.wait_until_available({"a"}, 0.05)
    assert caught.value.code == error_codes_pb2.DEADLINE_EXCEEDED
    core._poller.stop()


def test_a_label_may_name_available_versions_only(
    folder: Path, start: Callable[..., ServerCore]
) -> None:
    core = start()
    core.reload_config([config(folder, "a", stable=1)])
    assert core.manager.labels("a") == {"stable": 1}
    with pytest.raises(ServingError) as caught:
        core.reload_config([config(folder, "a", stable=1, canary=2), config(folder, "b")])
    assert caught.value.code == error_codes_pb2.FAILED_PRECONDITION
    assert "assign label to version 2 of model a, which is not currently available" in str(
        caught.value
    )
    assert core.manager.labels("a") == {"stable": 1}
    assert core.manager.names() == ["a"]


def test_with_the_flag_new_labels_may_come_first_but_none_may_move(
    folder: Path, start: Callable[..., ServerCore]
) -> None:
    core = start(allow=True)
    core.reload_config([config(folder, "a", stable=1, canary=2)])
    with (
        pytest.raises(ServingError, match=r"Specific\(a, 2\)"),
        core.manager.lease(model_pb2.ModelSpec(name="a", version_label="canary")),
    ):
        pass
    with pytest.raises(ServingError, match="assign label to version 2"):
        core.reload_config([config(folder, "a", stable=2)])


def test_labels_at_the_start_are_taken_with_a_warning(folder: Path) -> None:
    models = [config(folder, "a", stable=1)]
    core = ServerCore(ModelManager(models, load), models, poll_wait_seconds=WAIT_SECONDS)
    with capture_logs() as logs:
        core.start()
    assert any("the labels are taken" in entry["event"] for entry in logs)
    core.manager.wait_until_available({"a"}, 10)
    with core.manager.lease(model_pb2.ModelSpec(name="a", version_label="stable")) as lease:
        assert lease.version == 1
    core.stop()


def test_the_config_file_is_polled_and_a_bad_one_changes_nothing(
    folder: Path, start: Callable[..., ServerCore]
) -> None:
    def write(*names: str) -> None:
        models = "".join(
            f'config {{ name: "{name}" base_path: "{name}" model_platform: "tensorflow" }}'
            for name in names
        )
        file.write_text(f"model_config_list {{ {models} }}")

    file = folder / "models.config"
    write("a")
    core = start()
    poller = ConfigPoller(core, file, WAIT_SECONDS)
    with capture_logs() as logs:
        poller.start()
        file.write_text("nonsense")
        wait_until(lambda: len(logs) == 1, 10, "the bad file is logged")
        write("a", "b")
        wait_until(lambda: core.manager.names() == ["a", "b"], 10, "b is configured")
        poller.stop()
    assert logs[0]["event"] == "the models stay as they are"
    assert "Error parsing text-format" in logs[0]["error"]
