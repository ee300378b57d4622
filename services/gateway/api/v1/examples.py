"""TensorFlow Serving's calls on examples: classify and regress, for models that parse them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NotRequired, TypeVar

from flask import Response, request
from pydantic import Field
from typing_extensions import TypedDict

from services.gateway.api.body import check_no_parameters
from services.gateway.api.calls import Body
from services.gateway.api.responses import JSON
from services.gateway.api.routing import Routes, Tag, v1_paths
from services.gateway.collaborators import Gateway
from services.gateway.request.context import RequestContext
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.protos import input_pb2
from services.serving_api.rest_json.examples import (
    format_classifications,
    format_regressions,
    parse_examples_body,
)

routes = Routes("examples", __name__, Tag.TASKS, example_model="half_plus_two")

_Result = TypeVar("_Result")


class Examples(TypedDict):
    """What `:classify` and `:regress` take: examples, each an object of features by name."""

    signature_name: NotRequired[str]
    context: NotRequired[dict[str, Any]]
    examples: Annotated[list[dict[str, Any]], Field(min_length=1)]


class Results(TypedDict):
    """TensorFlow Serving's answer to `examples`."""

    results: list[Any]


_BODY = Body({JSON: Examples}, {"features": {"examples": [{"x": 1.0}, {"x": 2.5}]}})


@routes.call("POST", *v1_paths(":classify"), answers={JSON: Results}, body=_BODY)
def classify(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers the classes of each example, as TensorFlow Serving does."""
    result = _call(gateway, context, model, gateway.model_server.classify)
    return Response(format_classifications(result), mimetype=JSON)


@routes.call("POST", *v1_paths(":regress"), answers={JSON: Results}, body=_BODY)
def regress(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers one number for each example, as TensorFlow Serving does."""
    result = _call(gateway, context, model, gateway.model_server.regress)
    return Response(format_regressions(result), mimetype=JSON)


def _call(
    gateway: Gateway,
    context: RequestContext,
    model: ModelRef,
    method: Callable[[ModelRef, str, input_pb2.Input, RequestContext], _Result],
) -> _Result:
    check_no_parameters()
    signature_name, examples = parse_examples_body(
        request.get_data(), gateway.settings.max_json_values
    )
    gateway.resolver.model(context, model)
    return gateway.pipeline.call_when_available(
        method, model, signature_name, examples, context=context
    )
