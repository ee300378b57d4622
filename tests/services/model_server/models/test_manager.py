"""Loading, lending and swapping, with servables that only remember."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from services.model_server.config.model_config import single_model
from services.model_server.errors import ServingError
from services.model_server.models.manager import ModelManager, Retries, State
from services.model_server.servables.servable import ServableId
from services.serving_api.protos import error_codes_pb2, model_pb2


class FakeServable:
    """Knows whether it was closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.closed = False

    def close(self) -> None:
        self.closed = True


def load(_: ServableId, path: Path) -> FakeServable:
    if path.name == "broken":
        raise ServingError(error_codes_pb2.DATA_LOSS, "it is broken")
    if path.name == "crash":
        raise ZeroDivisionError("nobody foresaw this")
    return FakeServable(path)


@pytest.fixture
def manager() -> ModelManager:
    [config] = single_model("m", "unused")
    config.version_labels["stable"] = 1
    return ModelManager([config], load)


def spec(version: int | None = None, label: str | None = None) -> model_pb2.ModelSpec:
    request = model_pb2.ModelSpec(name="m")
    if version is not None:
        request.version.value = version
    if label:
        request.version_label = label
    return request


def states(manager: ModelManager) -> dict[int, int]:
    return {status.version: status.state for status in manager.statuses("m")}


def latest(manager: ModelManager) -> int:
    with manager.lease(spec()) as lease:
        return lease.version


def test_a_new_version_replaces_the_old(manager: ModelManager) -> None:
    manager.set_aspired_versions("m", {1: Path("one")})
    with manager.lease(spec()) as lease:
        old = lease.servable
    manager.set_aspired_versions("m", {2: Path("two")})
    assert states(manager) == {2: State.AVAILABLE, 1: State.END}
    assert latest(manager) == 2
    assert old.closed


def test_the_new_version_is_available_before_the_old_goes() -> None:
    seen: list[dict[int, int]] = []
    manager = ModelManager(single_model("m", "unused"), load)
    manager.set_aspired_versions("m", {1: Path("one")})
    manager.subscribe(lambda: seen.append(states(manager)))
    manager.set_aspired_versions("m", {2: Path("two")})
    assert seen == [
        {1: State.AVAILABLE, 2: State.LOADING},
        {1: State.AVAILABLE, 2: State.AVAILABLE},
        {1: State.UNLOADING, 2: State.AVAILABLE},
        {1: State.END, 2: State.AVAILABLE},
    ]


def test_requests_in_flight_finish_on_the_old_version(manager: ModelManager) -> None:
    manager.set_aspired_versions("m", {1: Path("one")})
    with manager.lease(spec()) as lease:
        swap = threading.Thread(target=manager.set_aspired_versions, args=("m", {2: Path("two")}))
        swap.start()
        swap.join(0.3)
        assert swap.is_alive()
        assert latest(manager) == 2
        assert states(manager)[1] == State.UNLOADING
        assert not lease.servable.closed
    swap.join(10)
    assert states(manager)[1] == State.END
    assert lease.servable.closed


@pytest.mark.parametrize(
    ("folder", "code", "message"),
    [
        ("broken", error_codes_pb2.DATA_LOSS, "it is broken"),
        ("crash", error_codes_pb2.INTERNAL, "crash: ZeroDivisionError('nobody foresaw this')"),
    ],
)
def test_a_failed_load_keeps_the_old_version(
    manager: ModelManager, folder: str, code: int, message: str
) -> None:
    manager.set_aspired_versions("m", {1: Path("one")})
    manager.set_aspired_versions("m", {2: Path(folder)})
    assert states(manager) == {2: State.END, 1: State.AVAILABLE}
    assert latest(manager) == 1
    [status] = manager.statuses("m", 2)
    assert status.error is not None
    assert (status.error.code, status.error.message) == (code, message)


def test_a_failed_version_is_loaded_again_only_when_it_came_back(manager: ModelManager) -> None:
    manager.set_aspired_versions("m", {2: Path("broken")})
    manager.set_aspired_versions("m", {2: Path("mended")})
    assert states(manager) == {2: State.END}
    manager.set_aspired_versions("m", {})
    manager.set_aspired_versions("m", {2: Path("mended")})
    assert states(manager) == {2: State.AVAILABLE}


def test_the_old_version_serves_on_when_the_failed_one_goes(manager: ModelManager) -> None:
    manager.set_aspired_versions("m", {1: Path("one")})
    manager.set_aspired_versions("m", {2: Path("broken")})
    with manager.lease(spec()) as lease:
        before = lease.servable
    manager.set_aspired_versions("m", {1: Path("one")})
    with manager.lease(spec()) as lease:
        assert lease.servable is before


def test_vanished_versions_are_unloaded(manager: ModelManager) -> None:
    manager.set_aspired_versions("m", {1: Path("one"), 2: Path("two")})
    manager.set_aspired_versions("m", {1: Path("one")})
    assert states(manager) == {2: State.END, 1: State.AVAILABLE}
    manager.set_aspired_versions("m", {})
    assert states(manager) == {2: State.END, 1: State.END}


def test_versions_and_labels_are_found(manager: ModelManager) -> None:
    manager.set_aspired_versions("m", {1: Path("one"), 2: Path("two")})
    for request, version in ((spec(), 2), (spec(1), 1), (spec(label="stable"), 1)):
        with manager.lease(request) as lease:
            assert lease.version == version


@pytest.mark.parametrize(
    ("request_spec", "code", "message"),
    [
        (spec(), error_codes_pb2.NOT_FOUND, "Servable not found for request: Latest(m)"),
        (spec(7), error_codes_pb2.NOT_FOUND, "Servable not found for request: Specific(m, 7)"),
        (
            spec(label="stable"),
            error_codes_pb2.NOT_FOUND,
            "Servable not found for request: Specific(m, 1)",
        ),
        (
            spec(label="canary"),
            error_codes_pb2.INVALID_ARGUMENT,
            "Unrecognized servable version label: canary",
        ),
        (
            model_pb2.ModelSpec(name="other"),
            error_codes_pb2.NOT_FOUND,
            "Servable not found for request: Latest(other)",
        ),
        (
            model_pb2.ModelSpec(),
            error_codes_pb2.INVALID_ARGUMENT,
            "ModelSpec has no name specified.",
        ),
    ],
)
def test_what_is_not_served_is_said(
    manager: ModelManager, request_spec: model_pb2.ModelSpec, code: int, message: str
) -> None:
    manager.set_aspired_versions("m", {})
    with pytest.raises(ServingError) as caught, manager.lease(request_spec):
        pass
    assert (caught.value.code, caught.value.message) == (code, message)


def test_statuses_of_what_is_not_there(manager: ModelManager) -> None:
    with pytest.raises(ServingError, match="Could not find any versions of model m"):
        manager.statuses("m")
    with pytest.raises(ServingError, match="Could not find version 7 of model m"):
        manager.statuses("m", 7)


def test_ready_means_every_model_has_an_available_version() -> None:
    assert not ModelManager([], load).is_ready()
    manager = ModelManager([*single_model("a", "unused"), *single_model("b", "unused")], load)
    manager.set_aspired_versions("a", {1: Path("one")})
    manager.set_aspired_versions("b", {1: Path("broken")})
    assert not manager.is_ready()
    manager.set_aspired_versions("b", {2: Path("two")})
    assert manager.is_ready()


def test_close_unloads_everything(manager: ModelManager) -> None:
    manager.set_aspired_versions("m", {1: Path("one")})
    with manager.lease(spec()) as lease:
        servable = lease.servable
    manager.close()
    assert servable.closed
    assert states(manager) == {1: State.END}


def test_a_failed_load_is_tried_again_until_it_works() -> None:
    tries = []

    def load_at_last(_: ServableId, path: Path) -> FakeServable:
        tries.append(path)
        if len(tries) < 3:
            raise ServingError(error_codes_pb2.DATA_LOSS, "not yet")
        return FakeServable(path)

    manager = ModelManager(single_model("m", "unused"), load_at_last, Retries(2, 0))
    assert manager.set_aspired_versions("m", {1: Path("one")}) is not None
    [status] = manager.statuses("m")
    assert (status.state, status.error.message) == (State.LOADING, "not yet")
    assert manager.set_aspired_versions("m", {1: Path("one")}) is not None
    assert manager.set_aspired_versions("m", {1: Path("one")}) is None
    assert states(manager) == {1: State.AVAILABLE}
    assert manager.statuses("m")[0].error is None


def test_retries_end_and_wait_their_interval() -> None:
    tries = []

    def fail(_: ServableId, path: Path) -> FakeServable:
        tries.append(path)
        raise ServingError(error_codes_pb2.DATA_LOSS, "never")

    manager = ModelManager(single_model("m", "unused"), fail, Retries(1, 0))
    for _ in range(5):
        manager.set_aspired_versions("m", {1: Path("one")})
    assert len(tries) == 2
    assert states(manager) == {1: State.END}
    patient = ModelManager(single_model("m", "unused"), fail, Retries(1, 60))
    tries.clear()
    for _ in range(5):
        patient.set_aspired_versions("m", {1: Path("one")})
    assert len(tries) == 1


def test_a_version_that_is_retried_holds_up_no_newer_one() -> None:
    manager = ModelManager(single_model("m", "unused"), load, Retries(5, 60))
    manager.set_aspired_versions("m", {1: Path("broken")})
    manager.set_aspired_versions("m", {2: Path("two")})
    assert states(manager) == {2: State.AVAILABLE, 1: State.END}
