"""The Flask application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from services.gateway.api.v1 import register_routes
from services.gateway.api.v2 import routes as v2
from services.gateway.cascade_setting import parse_cascade
from services.gateway.collaborators import Gateway
from services.gateway.middleware.access_log import observe
from services.gateway.middleware.authentication import guard
from services.gateway.middleware.content_encoding import decode_content
from services.gateway.middleware.load_shedding import Lanes, turn_away
from services.gateway.middleware.response_headers import add_headers
from services.gateway.request.errors import handle_errors
from services.gateway.settings import Settings
from services.gateway.upstream.answer_cache import AnswerCache
from services.gateway.upstream.batching import Batcher
from services.gateway.upstream.catalog import Catalog
from services.gateway.upstream.model_names import model_names
from services.gateway.upstream.model_server import ModelServer
from services.gateway.upstream.readiness import Readiness


class _App(Flask):
    """A Flask application without coroutines, which Flask would look for in every call."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function as it is."""
        return func


def create_app(settings: Settings, model_server: ModelServer) -> Flask:
    """Put the gateway together.

    Args:
        settings: every setting.
        model_server: where inference happens.

    Raises:
        SetupError: what a setting names cannot be used.
    """
    app = _App(__name__)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    names = model_names(settings)
    Gateway(
        settings=settings,
        model_names=names,
        cascades={cascade.name: cascade for cascade in map(parse_cascade, settings.cascades)},
        model_server=model_server,
        cache=AnswerCache(settings.cache_bytes),
        batcher=Batcher(
            model_server,
            max_rows=settings.max_batch_rows if settings.upstream_batching else 1,
            max_calls=settings.max_batch_calls,
        ),
        lanes=Lanes(settings.threads, settings.max_expensive_calls),
        catalog=Catalog(model_server, names),
        readiness=Readiness(model_server, names),
    ).attach(app)
    observe(app, settings.timeout_seconds)
    turn_away(app)
    guard(app, settings)
    add_headers(app, settings.cors_origins)
    decode_content(app)
    handle_errors(app)
    register_routes(app)
    app.register_blueprint(v2.blueprint)
    return app
