"""Loading and unloading models one by one, with servables that only remember."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.model_server.config.model_config import ConfigError, ModelConfig, single_model
from services.model_server.errors import ServingError
from services.model_server.models.manager import ModelManager
from services.model_server.models.model import State
from services.model_server.models.model_control import ModelControl
from services.model_server.models.server_core import ServerCore
from services.model_server.servables.servable import ServableId
from services.serving_api.protos import error_codes_pb2, model_pb2

SECONDS = 10


class FakeServable:
    def close(self) -> None:
        pass


def load(_: ServableId, path: Path) -> FakeServable:
    if (path / "broken").exists():
        raise ServingError(error_codes_pb2.DATA_LOSS, "it is broken")
    return FakeServable()


@pytest.fixture
def configured(tmp_path: Path) -> list[ModelConfig]:
    """What the model config file holds."""
    (tmp_path / "a" / "1").mkdir(parents=True)
    (tmp_path / "bad" / "2" / "broken").mkdir(parents=True)
    models = [model for name in ("a", "bad") for model in single_model(name, f"{tmp_path}/{name}")]
    models[0].version_labels["stable"] = 1
    return models


@pytest.fixture
def core(configured: list[ModelConfig]) -> Iterator[ServerCore]:
    """A core in explicit mode that looks at base paths only when a model is loaded."""
    manager = ModelManager([], load, may_be_empty=True)
    core = ServerCore(manager, [], poll_wait_seconds=0, read_models=lambda: configured)
    core.start()
    yield core
    core.stop()


@pytest.fixture
def control(core: ServerCore) -> ModelControl:
    return ModelControl(core)


def index(control: ModelControl) -> list[tuple[str, ...]]:
    return [tuple(entry) for entry in control.index()]


def test_nothing_is_loaded_before_it_is_asked_for(core: ServerCore, control: ModelControl) -> None:
    assert index(control) == [
        ("a", "", "UNAVAILABLE", "not loaded"),
        ("bad", "", "UNAVAILABLE", "not loaded"),
    ]
    assert core.manager.is_ready()
    control.load("a", SECONDS)
    with core.manager.lease(model_pb2.ModelSpec(name="a", version_label="stable")) as (_, version):
        assert version == 1
    assert index(control)[0] == ("a", "1", "READY", "")
    assert control.index(ready_only=True) == control.index()[:1]


def test_a_model_is_unloaded_and_loaded_again(core: ServerCore, control: ModelControl) -> None:
    for _ in range(2):
        control.load("a", SECONDS)
        control.unload("a", SECONDS)
        assert index(control)[0] == ("a", "1", "UNAVAILABLE", "unloaded")
        with (
            pytest.raises(ServingError) as refused,
            core.manager.lease(model_pb2.ModelSpec(name="a")),
        ):
            pass
        assert refused.value.code == error_codes_pb2.NOT_FOUND
    control.unload("a", SECONDS)


def test_an_unload_waits_for_the_requests_in_flight(
    core: ServerCore, control: ModelControl
) -> None:
    control.load("a", SECONDS)
    unload = threading.Thread(target=control.unload, args=("a", SECONDS))
    with core.manager.lease(model_pb2.ModelSpec(name="a")):
        with pytest.raises(ServingError, match="still unloading") as refused:
            control.unload("a", 0.05)
        assert refused.value.code == error_codes_pb2.DEADLINE_EXCEEDED
        assert index(control)[0] == ("a", "1", "UNLOADING", "")
        unload.start()
    unload.join(SECONDS)
    assert not unload.is_alive()


def test_a_load_finds_new_versions(control: ModelControl, configured: list[ModelConfig]) -> None:
    control.load("a", SECONDS)
    Path(configured[0].base_path, "3").mkdir()
    control.load("a", SECONDS)
    assert [entry.version for entry in control.index(ready_only=True)] == ["3"]


def test_a_failed_load_is_told_and_can_be_repeated(
    core: ServerCore, control: ModelControl, configured: list[ModelConfig]
) -> None:
    with pytest.raises(ServingError, match="it is broken") as refused:
        control.load("bad", SECONDS)
    assert refused.value.code == error_codes_pb2.UNKNOWN
    assert index(control)[1] == ("bad", "2", "UNAVAILABLE", "it is broken")
    assert core.manager.names() == []
    Path(configured[1].base_path, "2", "broken").rmdir()
    control.load("bad", SECONDS)
    assert index(control)[1] == ("bad", "2", "READY", "")


def test_a_new_version_that_fails_leaves_the_old_one_and_can_be_repeated(
    control: ModelControl, configured: list[ModelConfig]
) -> None:
    control.load("a", SECONDS)
    broken = Path(configured[0].base_path, "2", "broken")
    broken.mkdir(parents=True)
    for _ in range(2):
        with pytest.raises(ServingError, match="stays as it was: version 2: it is broken") as told:
            control.load("a", SECONDS)
        assert told.value.code == error_codes_pb2.UNKNOWN
        assert index(control)[:2] == [
            ("a", "1", "READY", ""),
            ("a", "2", "UNAVAILABLE", "it is broken"),
        ]
    broken.rmdir()
    control.load("a", SECONDS)
    assert index(control)[:2] == [("a", "1", "UNAVAILABLE", "unloaded"), ("a", "2", "READY", "")]


def test_a_base_path_that_vanishes_is_told_and_unloads_nothing(
    control: ModelControl, configured: list[ModelConfig]
) -> None:
    control.load("a", SECONDS)
    base_path = Path(configured[0].base_path)
    base_path.rename(base_path.with_name("gone"))
    with pytest.raises(ServingError, match="the base path cannot be read"):
        control.load("a", SECONDS)
    assert index(control)[0] == ("a", "1", "READY", "")


def test_a_model_that_failed_at_the_start_is_loaded_when_it_is_asked_for(
    configured: list[ModelConfig],
) -> None:
    manager = ModelManager(configured, load, may_be_empty=True)
    core = ServerCore(manager, configured, poll_wait_seconds=0, read_models=lambda: configured)
    core.start()
    with pytest.raises(ServingError, match="it is broken"):
        manager.wait_until_available({"bad"}, SECONDS)
    Path(configured[1].base_path, "2", "broken").rmdir()
    ModelControl(core).load("bad", SECONDS)
    assert manager.statuses("bad")[0].state == State.AVAILABLE
    core.stop()


def test_a_reloaded_config_replaces_what_was_loaded(
    core: ServerCore, control: ModelControl, configured: list[ModelConfig]
) -> None:
    control.load("a", SECONDS)
    Path(configured[1].base_path, "2", "broken").rmdir()
    core.manager.wait_until_available(core.reload_config(configured[1:]), SECONDS)
    core.manager.wait_until_unloaded("a", SECONDS)
    assert [entry[:3] for entry in index(control)] == [
        ("a", "1", "UNAVAILABLE"),
        ("bad", "2", "READY"),
    ]
    control.load("a", SECONDS)
    assert {entry.name for entry in control.index(ready_only=True)} == {"a", "bad"}


def test_the_config_is_read_at_each_call(
    control: ModelControl, configured: list[ModelConfig], tmp_path: Path
) -> None:
    (tmp_path / "new" / "1").mkdir(parents=True)
    configured.extend(single_model("new", f"{tmp_path}/new"))
    control.load("new", SECONDS)
    configured.clear()
    assert index(control) == [("new", "1", "READY", "")]
    control.unload("new", SECONDS)


def test_what_cannot_be_loaded_is_told(core: ServerCore, control: ModelControl) -> None:
    with pytest.raises(ServingError, match=r"'other': it is not configured.*\['a', 'bad'\]"):
        control.load("other", SECONDS)
    with pytest.raises(ServingError, match="'other': there is no such model"):
        control.unload("other", SECONDS)
    with pytest.raises(ServingError, match=r"parameters \['config'\], expected none"):
        control.load("a", SECONDS, ["config"])

    def broken() -> list[ModelConfig]:
        raise ConfigError("line 3")

    core.read_models = broken
    with pytest.raises(ServingError, match="line 3") as refused:
        control.index()
    assert refused.value.code == error_codes_pb2.FAILED_PRECONDITION


def test_the_extension_is_off_unless_the_mode_is_explicit(core: ServerCore) -> None:
    core.read_models = None
    control = ModelControl(core)
    for call in (control.index, lambda: control.load("a", 1), lambda: control.unload("a", 1)):
        with pytest.raises(ServingError, match="--model_control_mode=explicit") as refused:
            call()
        assert refused.value.code == error_codes_pb2.UNIMPLEMENTED
