"""The gateway's application for granian: `granian --factory benchmarks.granian_app:app`."""

from __future__ import annotations

from flask import Flask

from services.gateway.process.startup import load_app
from services.gateway.settings import Settings
from services.gateway.telemetry.logs import configure_logging


def app() -> Flask:
    """Put the application together by the environment's settings."""
    settings = Settings()
    configure_logging(settings)
    loaded = load_app(settings)
    if loaded is None:
        raise SystemExit(1)
    return loaded
