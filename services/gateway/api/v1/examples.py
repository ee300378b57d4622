"""TensorFlow Serving's calls on examples: classify and regress, for models that parse them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Response, request

from services.gateway.api.body import check_no_parameters
from services.gateway.api.routing import Routes, v1_paths
from services.gateway.collaborators import Gateway
from services.gateway.request.context import RequestContext
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.protos import input_pb2
from services.serving_api.rest_json.examples import (
    format_classifications,
    format_regressions,
    parse_examples_body,
)

routes = Routes("examples", __name__)

_Result = TypeVar("_Result")


@routes.call("POST", *v1_paths(":classify"))
def classify(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answer the classes of each example, as TensorFlow Serving does."""
    result = _call(gateway, context, model, gateway.model_server.classify)
    return Response(format_classifications(result), mimetype="application/json")


@routes.call("POST", *v1_paths(":regress"))
def regress(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answer one number for each example, as TensorFlow Serving does."""
    result = _call(gateway, context, model, gateway.model_server.regress)
    return Response(format_regressions(result), mimetype="application/json")


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
