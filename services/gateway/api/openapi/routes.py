"""The documentation: the OpenAPI document, and Swagger UI from a package instead of a CDN."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
from flask import Response, current_app

from services.gateway.api.responses import JSON
from services.gateway.api.routing import Routes, Tag
from services.gateway.collaborators import Gateway
from services.gateway.request.context import RequestContext

_EXTENSION = "lectern_openapi"


def _swagger_ui() -> Path:
    """Returns the folder of Swagger UI's files, without importing the package that carries them."""
    spec = find_spec("flask_openapi3_swagger")
    if spec is None or spec.origin is None:
        raise ImportError("flask-openapi3-swagger is not installed, which carries Swagger UI")
    return Path(spec.origin).parent / "templates" / "swagger"


routes = Routes(
    "docs",
    __name__,
    Tag.PAGES,
    static_folder=_swagger_ui(),
    static_url_path="/docs/swagger-ui",
)


@routes.call("GET", "/docs", answers={"text/html": str})
def page(_gateway: Gateway, _context: RequestContext) -> Response:
    """Answers a page that shows the calls and lets one try them (Swagger UI)."""
    return current_app.send_static_file("docs.html")


@routes.call("GET", "/openapi.json", answers={JSON: dict[str, Any]})
def document(_gateway: Gateway, _context: RequestContext) -> Response:
    """Answers the description of all calls (OpenAPI 3.1)."""
    made = current_app.extensions
    if _EXTENSION not in made:
        # Imported only here, since it takes time and no other call needs it.
        from services.gateway.api.openapi.document import openapi_document  # noqa: PLC0415

        made[_EXTENSION] = orjson.dumps(openapi_document(current_app))
    return Response(made[_EXTENSION], mimetype=JSON)
