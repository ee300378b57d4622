"""The application over a fake model server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.gateway.app import create_app
from services.gateway.model_server import ModelServer
from services.gateway.settings import Settings
from tests.fakes import (
    CLASSIFIER,
    CODEC,
    EXAMPLES_MODEL,
    GENERATOR,
    HALF_PLUS_TWO,
    INVERTER,
    LAYERS,
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
