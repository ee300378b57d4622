"""The gateway as a process over a fake model server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from tests.fakes import FakeModelServer
from tests.processes import Running, module, running
from tests.services.gateway.images import PNG

TIMEOUT = 30  # seconds; other work may hold the processors


@contextmanager
def started(fake: FakeModelServer, **settings: str) -> Iterator[Running]:
    environment = {
        "LECTERN_PORT": "0",
        "LECTERN_MODELS": "classifier",
        "LECTERN_MODEL_SERVER": fake.address,
        "LECTERN_WORKERS": "1",
        **settings,
    }
    with running(*module("services.gateway"), environment=environment) as process:
        yield process


def predict(url: str) -> requests.Response:
    return requests.post(f"{url}/v1/models/classifier:predict", PNG, timeout=TIMEOUT)


def address(gateway: Running) -> str:
    line = json.loads(gateway.wait_for_line("Listening at"))
    return line["event"].split()[2]
