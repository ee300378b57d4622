"""Paths that name a model: the latest version, `/versions/N` or `/labels/L`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Flask
from werkzeug.routing import BaseConverter, IntegerConverter, Map

from services.gateway.upstream.model_server import ModelRef

_View = TypeVar("_View", bound=Callable[..., Any])

_PATHS = (
    "/v1/models/<model>",
    "/v1/models/<model>/versions/<int64:version>",
    "/v1/models/<model>/labels/<label>",
)


class _Segment(BaseConverter):
    """A part of a path up to the colon that starts a verb."""

    regex = "[^/:]+"
    # It holds no slash, so that only the paths with as many parts are tried.
    part_isolating = True


class _Int64(IntegerConverter):
    """A version number as TensorFlow Serving's protocol holds it."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


def know_model_paths(app: Flask) -> None:
    """Let an application route the paths of this module."""
    app.url_map.converters.update(default=_Segment, int64=_Int64)


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
