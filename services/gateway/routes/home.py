"""The page that a browser opens first."""

from __future__ import annotations

from flask import Blueprint, Response, current_app

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def home() -> Response:
    """Answer a page that names the calls."""
    return current_app.send_static_file("index.html")
