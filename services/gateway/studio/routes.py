"""The studio: the page that a browser opens first, where people see what the models see."""

from __future__ import annotations

from pathlib import Path

from flask import Response

from services.gateway.api.routing import Routes, Tag
from services.gateway.collaborators import Gateway
from services.gateway.request.context import RequestContext

_FILES = Path(__file__).parent

routes = Routes("studio", __name__, Tag.PAGES, static_folder=_FILES, static_url_path="/studio")


@routes.call("GET", "/", answers={"text/html": str})
def page(_gateway: Gateway, _context: RequestContext) -> Response:
    """Answers the page of the studio, which speaks to the calls described here."""
    return routes.send_static_file("index.html")
