"""Lectern's gateway under granian instead of gunicorn, in front of the measured model server."""

from __future__ import annotations

import sys

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from services.gateway.process.startup import load_app
from services.gateway.settings import Settings
from services.gateway.telemetry.logs import configure_logging


def create_app() -> Flask:
    settings = Settings()
    configure_logging(settings)
    app = load_app(settings)
    if app is None:
        raise SystemExit(1)
    return app


if __name__ == "__main__":
    Granian(
        "benchmarks.peers.lectern_granian:create_app",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        workers=2,
        blocking_threads=64,
        factory=True,
        log_level=LogLevels.warning,
    ).serve()
