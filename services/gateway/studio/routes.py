"""The studio: the page that a browser opens first, where people see what the models see."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response

_FILES = Path(__file__).parent

blueprint = Blueprint("studio", __name__, static_folder=_FILES, static_url_path="/studio")


@blueprint.get("/")
def page() -> Response:
    """Answer the page of the studio, which speaks to the calls described here."""
    return blueprint.send_static_file("index.html")
