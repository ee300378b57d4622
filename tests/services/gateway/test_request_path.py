"""One PNG through `:predict` crosses few modules, each entered once on the way down."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import grpc
import pytest
from flask.testing import FlaskClient

import services.gateway
from services.gateway.upstream import catalog
from tests.services.gateway.images import PNG

GATEWAY = str(Path(services.gateway.__file__).parent)
GRPC = str(Path(grpc.__file__).parent)
MAX_MODULES = 14
"""Modules crossed by a request, without that of the HTTP server, which the test client replaces."""


class Way:
    """Records the modules of the gateway that a thread enters.

    Attributes:
        down: the modules in the order of entry, until the model server is called.
        modules: all of them, those on the way back included.
    """

    def __init__(self) -> None:
        self.down: list[str] = []
        self.modules: set[str] = set()
        self._descending = True

    def note(self, frame: FrameType, event: str, _argument: Any) -> None:
        """Note a call; for `sys.setprofile`."""
        if event != "call":
            return
        file = frame.f_code.co_filename
        if file.startswith(GRPC):
            self._descending = False
        # Constructing a value does not count as entering its module.
        if not file.startswith(GATEWAY) or frame.f_code.co_name == "__init__":
            return
        self.modules.add(file)
        if self._descending and file != _caller(frame):
            self.down.append(file)


def _caller(frame: FrameType) -> str:
    """Return the module of the gateway that a call comes from, through libraries or not."""
    caller = frame.f_back
    while caller and not caller.f_code.co_filename.startswith(GATEWAY):
        caller = caller.f_back
    return caller.f_code.co_filename if caller else ""


@pytest.fixture
def way(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Way:
    """Returns the path of an image whose model is in the catalog's cache."""
    monkeypatch.setattr(catalog, "SECONDS_TO_LIVE", 60.0)
    path = "/v1/models/classifier:predict"
    assert client.post(path, data=PNG).status_code == 200
    way = Way()
    sys.setprofile(way.note)
    try:
        response = client.post(path, data=PNG)
    finally:
        sys.setprofile(None)
    assert response.status_code == 200
    return way


def test_an_image_crosses_few_modules(way):
    names = sorted(file.removeprefix(GATEWAY) for file in way.modules)
    assert len(names) <= MAX_MODULES, names


def test_each_module_is_entered_once_on_the_way_down(way):
    assert way.down[0].endswith("/middleware/request_lifecycle.py")
    assert way.down[-1].endswith("/upstream/model_server.py")
    again = [name for name, count in Counter(way.down).items() if count > 1]
    assert again == []
