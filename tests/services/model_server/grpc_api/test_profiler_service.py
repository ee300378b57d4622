"""The profiler's protocol without TensorFlow's client: ends before time, and errors."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
import tensorflow as tf

from services.model_server.grpc_api.profiler_service import MAX_DURATION_MS, ProfilerService
from services.model_server.servables.cancellation import Cancellation

SECONDS = 20


class AbortedError(Exception):
    """What `abort` raises, as gRPC's does."""


class FakeContext:
    """A call whose client may leave."""

    def __init__(self) -> None:
        self.client = Cancellation()

    def add_callback(self, callback: Any) -> bool:
        self.client.on_cancel(callback)
        return True

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise AbortedError(code, details)


def profile_request(folder: Path, duration_ms: int = MAX_DURATION_MS) -> Any:
    return SimpleNamespace(
        repository_root=str(folder),
        session_id="run",
        host_name="localhost:8500",
        opts=SimpleNamespace(duration_ms=duration_ms),
    )


@pytest.mark.parametrize("ends", ["terminated", "hung up"])
def test_a_recording_ends_before_its_time(tmp_path: Path, ends: str) -> None:
    service, context = ProfilerService(), FakeContext()
    thread = threading.Thread(target=service.Profile, args=(profile_request(tmp_path), context))
    thread.start()
    while "run" not in service._stopped:
        threading.Event().wait(0.01)
    if ends == "terminated":
        service.Terminate(SimpleNamespace(session_id="run"), FakeContext())
    else:
        context.client.cancel()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert (tmp_path / "run" / "localhost_8500.xplane.pb").is_file()
    assert service._stopped == {}


def test_what_is_not_recorded_cannot_be_terminated() -> None:
    service = ProfilerService()
    service.Terminate(SimpleNamespace(session_id="none"), FakeContext())
    assert service._stopped == {}


def test_two_recordings_at_once_are_refused(tmp_path: Path) -> None:
    tf.profiler.experimental.start(str(tmp_path))
    try:
        with pytest.raises(AbortedError, match="Another profiler is running") as caught:
            ProfilerService().Profile(profile_request(tmp_path), FakeContext())
    finally:
        tf.profiler.experimental.stop(save=False)
    assert caught.value.args[0] == grpc.StatusCode.INTERNAL


def test_a_recording_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AbortedError, match="expected at most 600000") as caught:
        ProfilerService().Profile(profile_request(tmp_path, MAX_DURATION_MS + 1), FakeContext())
    assert caught.value.args[0] == grpc.StatusCode.INVALID_ARGUMENT
