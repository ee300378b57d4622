"""Requests for a configured model wait for its first load, and for nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from services.model_server.config.model_config import ModelConfig, single_model
from services.model_server.errors import ServingError
from services.model_server.models.manager import ModelManager
from services.model_server.servables.cancellation import Cancellation
from services.model_server.servables.servable import ServableId
from services.serving_api.protos import error_codes_pb2, model_pb2
from tests.processes import wait_until

SPEC = model_pb2.ModelSpec(name="m")


class SlowLoads:
    """A `load` that ends when the test says so."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.fails = False

    def __call__(self, _: ServableId, path: Path) -> str:
        assert self.may_end.wait(30)
        if self.fails:
            raise ServingError(error_codes_pb2.DATA_LOSS, "broken")
        return path.name


@pytest.fixture
def loads() -> SlowLoads:
    return SlowLoads()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def manager(loads: SlowLoads, threads: ThreadPoolExecutor) -> Iterator[ModelManager]:
    [config] = single_model("m", "unused")
    config.version_labels["stable"] = 1
    manager = ModelManager([config], loads, max_waiting_requests=2)
    yield manager
    loads.may_end.set()
    manager.stop_waiting()


def answer(
    manager: ModelManager, spec: model_pb2.ModelSpec, request: Cancellation | None = None
) -> int:
    with (request or Cancellation()).of_this_request(), manager.lease(spec) as lease:
        return lease.version


def wait_for_waiters(manager: ModelManager, count: int) -> None:
    wait_until(lambda: manager._first_loads._waiting == count, 30, f"{count} waiting requests")


def test_a_request_that_comes_early_waits_for_the_load(manager, loads, threads) -> None:
    early = threads.submit(answer, manager, SPEC)
    wait_for_waiters(manager, 1)
    threads.submit(manager.set_aspired_versions, "m", {3: Path("three")})
    assert not early.done()
    loads.may_end.set()
    assert early.result(30) == 3


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (model_pb2.ModelSpec(name="other"), error_codes_pb2.NOT_FOUND),
        (model_pb2.ModelSpec(name="m", version_label="none"), error_codes_pb2.INVALID_ARGUMENT),
    ],
)
def test_what_no_load_can_bring_is_answered_at_once(manager, spec, code) -> None:
    with pytest.raises(ServingError) as caught:
        answer(manager, spec)
    assert caught.value.code == code


def test_a_failed_first_load_ends_the_wait(manager, loads, threads) -> None:
    loads.fails = True
    early = threads.submit(answer, manager, SPEC)
    wait_for_waiters(manager, 1)
    loads.may_end.set()
    manager.set_aspired_versions("m", {3: Path("three")})
    with pytest.raises(ServingError, match="Servable not found"):
        early.result(30)


def test_a_base_path_without_versions_ends_the_wait(manager, threads) -> None:
    early = threads.submit(answer, manager, SPEC)
    wait_for_waiters(manager, 1)
    manager.set_aspired_versions("m", {})
    with pytest.raises(ServingError, match="Servable not found"):
        early.result(30)


def test_a_version_that_is_there_is_used_while_another_loads(manager, loads, threads) -> None:
    labelled = threads.submit(
        answer, manager, model_pb2.ModelSpec(name="m", version_label="stable")
    )
    wait_for_waiters(manager, 1)
    loads.may_end.set()
    manager.set_aspired_versions("m", {1: Path("one")})
    loads.may_end.clear()
    assert labelled.result(30) == 1
    swap = threads.submit(manager.set_aspired_versions, "m", {1: Path("one"), 2: Path("two")})
    assert answer(manager, SPEC) == 1
    missing = model_pb2.ModelSpec(name="m")
    missing.version.value = 2
    with pytest.raises(ServingError, match="Servable not found"):
        answer(manager, missing)
    loads.may_end.set()
    swap.result(30)


def test_the_wait_ends_with_the_request(manager, threads) -> None:
    request = Cancellation()
    early = threads.submit(answer, manager, SPEC, request)
    wait_for_waiters(manager, 1)
    request.cancel()
    with pytest.raises(ServingError) as caught:
        early.result(30)
    assert caught.value.code == error_codes_pb2.DEADLINE_EXCEEDED


def _fails_as_loading(request: Future[int]) -> bool:
    with pytest.raises(ServingError, match="m is still loading") as caught:
        request.result(30)
    return caught.value.code == error_codes_pb2.UNAVAILABLE


def test_only_so_many_requests_wait(manager, threads) -> None:
    early = [threads.submit(answer, manager, SPEC) for _ in range(2)]
    wait_for_waiters(manager, 2)
    assert _fails_as_loading(threads.submit(answer, manager, SPEC))
    assert not any(request.done() for request in early)


def test_the_stop_of_the_server_ends_the_wait(manager, threads) -> None:
    early = threads.submit(answer, manager, SPEC)
    wait_for_waiters(manager, 1)
    manager.stop_waiting()
    assert _fails_as_loading(early)
    assert _fails_as_loading(threads.submit(answer, manager, SPEC))


def test_a_model_that_is_configured_later_is_waited_for_too(manager, loads, threads) -> None:
    config = [ModelConfig(name=name, base_path="unused") for name in ("m", "new")]
    manager.configure(config, allow_unavailable_labels=True)
    early = threads.submit(answer, manager, model_pb2.ModelSpec(name="new"))
    wait_for_waiters(manager, 1)
    loads.may_end.set()
    manager.set_aspired_versions("new", {1: Path("one")})
    assert early.result(30) == 1
