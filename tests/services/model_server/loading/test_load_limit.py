"""Versions load a few at a time, in the order in which they came."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from services.model_server.errors import ServingError
from services.model_server.loading.load_limit import limit_loads
from services.model_server.servables.cancellation import Cancellation
from services.model_server.servables.servable import ServableId
from services.serving_api.protos import error_codes_pb2

ID = ServableId("m", 1)


@pytest.mark.parametrize("at_once", [1, 2])
def test_so_many_load_at_once_in_order(at_once: int) -> None:
    lock, together, most, order = threading.Lock(), 0, 0, []

    def load(_: ServableId, path: Path) -> Path:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
            order.append(path.name)
        time.sleep(0.05)
        with lock:
            together -= 1
        return path

    limited = limit_loads(load, at_once, Cancellation())
    threads = [threading.Thread(target=limited, args=(ID, Path(str(n)))) for n in range(6)]
    for thread in threads:
        thread.start()
        time.sleep(0.005)
    for thread in threads:
        thread.join()
    assert most == at_once
    assert order == [str(n) for n in range(6)]


def test_a_failed_load_makes_room() -> None:
    def load(_: ServableId, path: Path) -> Path:
        if path.name == "bad":
            raise ValueError(path)
        return path

    limited = limit_loads(load, 1, Cancellation())
    with pytest.raises(ValueError, match="bad"):
        limited(ID, Path("bad"))
    assert limited(ID, Path("good")) == Path("good")


def test_after_the_stop_nothing_loads() -> None:
    stopping, loaded = Cancellation(), []
    limited = limit_loads(lambda _, path: loaded.append(path), 1, stopping)
    stopping.cancel()
    with pytest.raises(ServingError, match="the server stops") as caught:
        limited(ID, Path("late"))
    assert caught.value.code == error_codes_pb2.CANCELLED
    assert loaded == []
