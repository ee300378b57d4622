"""The gateway's application for granian: `granian --factory tests.load.granian_app:app`."""

from __future__ import annotations

from flask import Flask

from services.gateway.logs import configure_logging
from services.gateway.settings import Settings
from services.gateway.worker import load_app


def app() -> Flask:
    """Put the application together by the environment's settings."""
    settings = Settings()
    configure_logging(settings)
    loaded = load_app(settings)
    if loaded is None:
        raise SystemExit(1)
    return loaded
