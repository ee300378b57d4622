"""The calls of the gateway: one task or one concern a file."""

from __future__ import annotations

from flask import Flask

from services.gateway.routes import (
    activations,
    compress,
    decompress,
    docs,
    examples,
    generate,
    models,
    predict,
    probes,
    saliency,
    studio,
    visualize,
)
from services.gateway.routes.model_paths import know_model_paths

_MODULES = (
    studio,
    docs,
    probes,
    models,
    predict,
    examples,
    saliency,
    activations,
    visualize,
    generate,
    compress,
    decompress,
)


def register_routes(app: Flask) -> None:
    """Let an application answer every call."""
    know_model_paths(app)
    for module in _MODULES:
        app.register_blueprint(module.blueprint)
