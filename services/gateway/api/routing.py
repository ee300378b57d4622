"""Routing: views get the gateway's parts, the request's context, and the model that a path names.

A path names a model's latest version, `/versions/N` or `/labels/L`. A route declares what its call
takes and answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Flask, g, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from werkzeug.routing import BaseConverter, IntegerConverter, Map

from services.gateway.api.calls import Body, Call
from services.gateway.collaborators import Gateway
from services.gateway.middleware.content_encoding import decode_content
from services.gateway.upstream.model_server import ModelRef

_View = TypeVar("_View", bound=Callable[..., ResponseReturnValue])


def v1_paths(suffix: str) -> tuple[str, ...]:
    """Returns the paths of a model in TensorFlow Serving's API, each with this suffix."""
    model = "/v1/models/<model>"
    parts = (model, f"{model}/versions/<int64:version>", f"{model}/labels/<label>")
    return tuple(path + suffix for path in parts)


def v2_paths(suffix: str) -> tuple[str, ...]:
    """Returns the paths of a model in the Open Inference Protocol, each with this suffix."""
    model = "/v2/models/<model>"
    return (model + suffix, f"{model}/versions/<int64:version>{suffix}")


class Tag(StrEnum):
    """The groups of calls in the OpenAPI document."""

    TASKS = "tasks"
    MODELS = "models"
    PROTOCOL = "Open Inference Protocol"
    OPERATIONS = "operations"
    PAGES = "pages"


class Routes(Blueprint):
    """A blueprint whose views are `view(gateway, context)` or `view(gateway, context, model)`.

    An application registers it with its parts: `app.register_blueprint(routes, gateway=gateway)`.

    Attributes:
        tag: the group of its calls.
        example_model: the model in the examples of its paths.
        calls: the types of each call, by the name of its view.
    """

    def __init__(
        self, name: str, import_name: str, tag: Tag, example_model: str = "cnn", **folders: Any
    ) -> None:
        super().__init__(name, import_name, **folders)
        self.tag = tag
        self.example_model = example_model
        self.calls: dict[str, Call] = {}

    def call(
        self,
        method: str,
        *paths: str,
        answers: Mapping[str, Any],
        parameters: type[BaseModel] | None = None,
        body: Body | None = None,
    ) -> Callable[[_View], _View]:
        """Routes a view under paths, all of which name a model or none of which does.

        Args:
            method: the HTTP method.
            *paths: the paths.
            answers: see `Call`, as all that follow.
            parameters: the parameters.
            body: the body.
        """

        def decorate(view: _View) -> _View:
            self.calls[view.__name__] = Call(answers, parameters, body)

            def add(state: BlueprintSetupState) -> None:
                bound = _bind(view, state.options["gateway"], runs_model=method == "POST")
                for path in paths:
                    state.add_url_rule(path, view_func=bound, methods=[method])

            self.record(add)
            return view

        return decorate


def _bind(
    view: Callable[..., ResponseReturnValue], gateway: Gateway, *, runs_model: bool
) -> Callable[..., ResponseReturnValue]:
    splits = gateway.splits

    @wraps(view)
    def answer(
        model: str | None = None, version: int | None = None, label: str | None = None
    ) -> ResponseReturnValue:
        if "HTTP_CONTENT_ENCODING" in request.environ:
            decode_content(request)
        if model is None:
            return view(gateway, g.context)
        ref = ModelRef(model, version, label)
        if splits is not None and runs_model:
            ref = splits.choose(ref, g.context, request.headers.get)
        elif splits is not None:
            ref = splits.describe(ref, g.context)
        return view(gateway, g.context, ref)

    return answer


def add_path_converters(app: Flask) -> None:
    """Lets the rules of an application have the parts that the paths here are made of."""
    app.url_map.converters.update(default=_Segment, int64=_Int64)


class _Segment(BaseConverter):
    """A part of a path up to the colon that starts a verb."""

    regex = "[^/:]+"
    # It holds no slash, so that only the paths with as many parts are tried.
    part_isolating = True


class _Int64(IntegerConverter):
    """A version number as TensorFlow Serving's protocol holds it."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)
