"""A request learns, wherever it is, that nobody waits for it any more."""

from __future__ import annotations

import pytest

from services.model_server.errors import ServingError
from services.model_server.servables.cancellation import Cancellation, current_cancellation
from services.serving_api.protos import error_codes_pb2


def test_a_cancelled_request_may_not_go_on() -> None:
    cancellation = Cancellation()
    cancellation.check()
    cancellation.cancel()
    with pytest.raises(ServingError) as caught:
        cancellation.check()
    assert caught.value.code == error_codes_pb2.DEADLINE_EXCEEDED


def test_callbacks_are_called_once_whenever_they_come() -> None:
    cancellation = Cancellation()
    called: list[str] = []
    cancellation.on_cancel(lambda: called.append("before"))
    assert called == []
    cancellation.cancel()
    cancellation.on_cancel(lambda: called.append("after"))
    assert called == ["before", "after"]


def test_the_current_one_is_that_of_the_block() -> None:
    cancellation = Cancellation()
    with cancellation.of_this_request():
        assert current_cancellation() is cancellation
    cancellation.cancel()
    current_cancellation().check()
