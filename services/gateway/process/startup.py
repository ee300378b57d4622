"""Loads the application in each worker process, after the fork."""

from __future__ import annotations

import gc

import structlog
from flask import Flask

from services.gateway.app import create_app
from services.gateway.process.tracing import start_tracing, trace_requests
from services.gateway.settings import Settings, SetupError
from services.gateway.upstream.channel import read_credentials
from services.gateway.upstream.model_server import ModelServer
from services.host.memory import give_large_blocks_back

log = structlog.get_logger()


def load_app(settings: Settings) -> Flask | None:
    """Returns the application with its own channel, or None after logging why it cannot start.

    Args:
        settings: every setting.
    """
    give_large_blocks_back()
    try:
        traced = start_tracing()
        model_server = ModelServer(settings.model_server, read_credentials(settings))
        app = create_app(settings, model_server)
        if traced:
            trace_requests(app)
        # Full garbage collections would scan everything that is loaded, which delayed the slowest
        # requests by tens of milliseconds.
        gc.collect()
        gc.freeze()
        return app
    except SetupError as error:
        log.error("cannot start", reason=str(error))
        return None
