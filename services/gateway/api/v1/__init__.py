"""The calls of the gateway: one task or one concern a file."""

from __future__ import annotations

from flask import Flask

from services.gateway.api import probes
from services.gateway.api.model_paths import know_model_paths
from services.gateway.api.openapi import routes as docs
from services.gateway.api.v1 import (
    activations,
    compress,
    decompress,
    examples,
    generate,
    models,
    predict,
    saliency,
    visualize,
)
from services.gateway.studio import routes as studio

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
