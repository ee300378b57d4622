"""The application over a fake model server."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.gateway.app import create_app
from services.gateway.settings import Settings
from services.gateway.upstream.model_server import ModelRef, ModelServer
from tests.fakes import (
    AVAILABLE,
    CLASSIFIER,
    CODEC,
    EXAMPLES_MODEL,
    GENERATOR,
    HALF_PLUS_TWO,
    INVERTER,
    LAYERS,
    LOADING,
    PLAIN_CLASSIFIER,
    WORDS,
    WRITER,
    FakeModelServer,
    FakeVersion,
)


@pytest.fixture
def fake() -> Iterator[FakeModelServer]:
    server = FakeModelServer(
        {
            "classifier": {1: FakeVersion(CLASSIFIER)},
            "codec": {1: FakeVersion(CODEC)},
            "examples": {1: FakeVersion(EXAMPLES_MODEL)},
            "generator": {1: FakeVersion(GENERATOR)},
            "half_plus_two": {1: FakeVersion(HALF_PLUS_TWO)},
            "inverter": {1: FakeVersion(INVERTER)},
            "layered": {1: FakeVersion(LAYERS)},
            "plain": {1: FakeVersion(PLAIN_CLASSIFIER)},
            "words": {1: FakeVersion(WORDS)},
            "writer": {1: FakeVersion(WRITER)},
        }
    ).start()
    yield server
    server.stop()


@pytest.fixture
def settings(fake: FakeModelServer) -> Settings:
    return Settings(
        models=("classifier", "half_plus_two"),
        model_server=fake.address,
        timeout_seconds=5,
        max_body_bytes=200_000,
        max_image_pixels=1_000_000,
    )


@pytest.fixture
def model_server(settings: Settings) -> Iterator[ModelServer]:
    server = ModelServer(settings.model_server)
    yield server
    server.close()


@pytest.fixture
def app(settings: Settings, model_server: ModelServer) -> Flask:
    return create_app(settings, model_server)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def loads_before_its_state_is_asked(
    fake: FakeModelServer, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, int], None]:
    """Unloads a version until a request for its model's state, which then finds it available."""

    def unload(name: str, version: int) -> None:
        fake.models[name][version].state = LOADING
        ask = model_server.status

        def load_and_ask(ref: ModelRef, timeout: float) -> object:
            fake.models[name][version].state = AVAILABLE
            return ask(ref, timeout)

        monkeypatch.setattr(model_server, "status", load_and_ask)

    return unload


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={2**20}"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.fail(f"this test mounts a small tmpfs, which takes root: {done.stderr}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
