"""The documentation: the OpenAPI document, and Swagger UI from a package instead of a CDN."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import orjson
from flask import Blueprint, Response, current_app

_EXTENSION = "lectern_openapi"


def _swagger_ui() -> Path:
    """Return the folder of Swagger UI's files, without importing the package that carries them."""
    spec = find_spec("flask_openapi3_swagger")
    if spec is None or spec.origin is None:
        raise ImportError("flask-openapi3-swagger is not installed, which carries Swagger UI")
    return Path(spec.origin).parent / "templates" / "swagger"


blueprint = Blueprint(
    "docs", __name__, static_folder=_swagger_ui(), static_url_path="/docs/swagger-ui"
)


@blueprint.get("/docs")
def page() -> Response:
    """Answer a page that shows the calls and lets one try them (Swagger UI)."""
    return current_app.send_static_file("docs.html")


@blueprint.get("/openapi.json")
def document() -> Response:
    """Answer the description of all calls (OpenAPI 3.1)."""
    made = current_app.extensions
    if _EXTENSION not in made:
        # Only here, since nobody else needs it and it takes time to import.
        from services.gateway.api.openapi.document import openapi_document  # noqa: PLC0415

        made[_EXTENSION] = orjson.dumps(openapi_document(current_app))
    return Response(made[_EXTENSION], mimetype="application/json")
