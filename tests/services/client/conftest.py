"""A client, and gateways that listen on a port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask import Flask
from werkzeug.serving import make_server

from services.client import Client
from tests.services.gateway import conftest as gateway

fake, settings, model_server, app = (
    gateway.fake,
    gateway.settings,
    gateway.model_server,
    gateway.app,
)


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """Serves applications until the end of the test, and returns the URL of each."""
    with ExitStack() as stack:
        yield lambda served: stack.enter_context(_listening(served))


@pytest.fixture
def url(serve: Callable[[Flask], str], app: Flask) -> str:
    return serve(app)


@pytest.fixture
def connected(url: str) -> Iterator[Client]:
    with Client(url) as client:
        yield client


@contextmanager
def _listening(served: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, served, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
