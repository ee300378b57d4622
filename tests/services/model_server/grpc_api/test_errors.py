"""What a servicer raises becomes a status; what came too late does not run."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest

from services.model_server.errors import ServingError, not_found
from services.model_server.grpc_api.errors import answers_errors


class AbortedError(Exception):
    """What `abort` raises, as gRPC's does."""


class FakeContext:
    def __init__(self, active: bool = True) -> None:
        self.active = active

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return self.active

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise AbortedError(code, details)


class Servicer:
    ran = False

    @answers_errors
    def call(self, request: Exception | None, context: FakeContext) -> str:
        self.ran = True
        if request:
            raise request
        return "answer"


@pytest.mark.parametrize(
    ("error", "code", "details"),
    [
        (not_found("no such model"), grpc.StatusCode.NOT_FOUND, "no such model"),
        (ServingError(15, "the file is cut"), grpc.StatusCode.DATA_LOSS, "the file is cut"),
        (ZeroDivisionError("oops"), grpc.StatusCode.INTERNAL, "ZeroDivisionError('oops')"),
    ],
)
def test_errors_become_statuses(error: Exception, code: grpc.StatusCode, details: str) -> None:
    with pytest.raises(AbortedError) as caught:
        Servicer().call(error, FakeContext())
    assert caught.value.args == (code, details)


def test_an_answer_passes() -> None:
    assert Servicer().call(None, FakeContext()) == "answer"


def test_a_request_whose_client_has_gone_does_not_run() -> None:
    servicer = Servicer()
    with pytest.raises(AbortedError) as caught:
        servicer.call(None, FakeContext(active=False))
    assert caught.value.args[0] == grpc.StatusCode.DEADLINE_EXCEEDED
    assert not servicer.ran
