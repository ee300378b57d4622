"""TensorFlow Serving's calls on examples: classify and regress, for models that parse them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Response, request

from services.gateway.api.model_paths import model_blueprint, model_route
from services.gateway.collaborators import gateway
from services.gateway.inference.pipeline import find_model
from services.gateway.request.deadline import time_left
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.protos import input_pb2
from services.serving_api.rest_json.examples import (
    format_classifications,
    format_regressions,
    parse_examples_body,
)

blueprint = model_blueprint("examples")

_Result = TypeVar("_Result")


@model_route(blueprint, ":classify", "POST")
def classify(model: ModelRef) -> Response:
    """Answer the classes of each example, as TensorFlow Serving does."""
    result = _call(model, gateway().model_server.classify)
    return Response(format_classifications(result), mimetype="application/json")


@model_route(blueprint, ":regress", "POST")
def regress(model: ModelRef) -> Response:
    """Answer one number for each example, as TensorFlow Serving does."""
    result = _call(model, gateway().model_server.regress)
    return Response(format_regressions(result), mimetype="application/json")


def _call(
    model: ModelRef, method: Callable[[ModelRef, str, input_pb2.Input, float], _Result]
) -> _Result:
    signature_name, examples = _read_examples()
    find_model(model)
    return gateway().catalog.call_if_loaded(
        model, lambda: method(model, signature_name, examples, time_left()), time_left()
    )


def _read_examples() -> tuple[str, input_pb2.Input]:
    return parse_examples_body(request.get_data(), gateway().settings.max_json_values)
