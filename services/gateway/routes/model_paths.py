"""Paths that name a model: the latest version, `/versions/N` or `/labels/L`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Flask
from werkzeug.routing import BaseConverter

from services.gateway.model_server import ModelRef

_View = TypeVar("_View", bound=Callable[..., Any])

_MODEL = "/v1/models/<segment:model>"
_PATHS = (
    _MODEL,
    # TensorFlow's versions are int64.
    f"{_MODEL}/versions/<int(max={2**63 - 1}):version>",
    f"{_MODEL}/labels/<segment:label>",
)


class _Segment(BaseConverter):
    """A part of a path up to the colon that starts a verb."""

    regex = "[^/:]+"


def know_model_paths(app: Flask) -> None:
    """Let an application route the paths of this module."""
    app.url_map.converters["segment"] = _Segment


def model_blueprint(name: str) -> Blueprint:
    """Return a blueprint whose views get `model`, a ModelRef, in place of the path's parts."""
    blueprint = Blueprint(name, __name__)

    @blueprint.url_value_preprocessor
    def read_reference(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values and "model" in values:
            values["model"] = ModelRef(
                values["model"], values.pop("version", None), values.pop("label", None)
            )

    return blueprint


def model_route(blueprint: Blueprint, suffix: str, method: str) -> Callable[[_View], _View]:
    """Route a view under every path of a model.

    Args:
        blueprint: one that `model_blueprint` made.
        suffix: what follows the path, such as `:predict` or `/metadata`.
        method: `GET` or `POST`.
    """

    def decorate(view: _View) -> _View:
        for path in _PATHS:
            blueprint.add_url_rule(f"{path}{suffix}", view_func=view, methods=[method])
        return view

    return decorate
