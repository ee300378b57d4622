"""The Flask application."""

from __future__ import annotations

from flask import Flask

from services.gateway.api import probes, v1
from services.gateway.api.openapi import routes as docs
from services.gateway.api.routing import add_path_converters
from services.gateway.api.v2 import routes as v2
from services.gateway.collaborators import make_gateway
from services.gateway.middleware.authentication import (
    identify_clients,
    read_api_keys,
    require_keys,
)
from services.gateway.middleware.cors import allow_origins
from services.gateway.middleware.payload_log import log_payloads
from services.gateway.middleware.problem_documents import answer_errors
from services.gateway.middleware.request_lifecycle import begin_and_end_requests
from services.gateway.settings import Settings
from services.gateway.studio import routes as studio
from services.gateway.telemetry.payload_log import PayloadLog
from services.gateway.upstream.model_server import ModelServer


def create_app(settings: Settings, model_server: ModelServer) -> Flask:
    """Returns the application; its components are in `app.extensions["lectern"]`.

    Args:
        settings: the settings.
        model_server: the client of the model server.

    Raises:
        SetupError: a file or a value in the settings cannot be used.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    gateway = app.extensions["lectern"] = make_gateway(settings, model_server)
    _add_middleware(app, settings)
    add_path_converters(app)
    for routes in (studio.routes, docs.routes, probes.routes, *v1.ROUTES, v2.routes):
        app.register_blueprint(routes, gateway=gateway)
    return app


def _add_middleware(app: Flask, settings: Settings) -> None:
    """Adds the steps that every request goes through, in this order."""
    begin_and_end_requests(app, settings.timeout_seconds)
    keys = read_api_keys(settings.api_keys_file) if settings.api_keys_file else None
    if keys:
        identify_clients(app, keys)
    if settings.rate_limit:
        # Imported only if used: the import takes 0.1 seconds and 10 MB.
        from services.gateway.middleware.rate_limit import limit_rate  # noqa: PLC0415

        limit_rate(app, settings.rate_limit)
    if keys:
        # After the rate limit, so that guessing keys is limited too.
        require_keys(app)
    if settings.cors_origins:
        allow_origins(app, settings.cors_origins)
    if settings.payload_log:
        log_payloads(app, PayloadLog(settings, settings.payload_log))
    answer_errors(app)
