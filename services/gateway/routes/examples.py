"""TensorFlow Serving's calls on examples: classify and regress, for models that parse them."""

from __future__ import annotations

from flask import Response, request

from services.gateway.context import gateway
from services.gateway.deadline import time_left
from services.gateway.inference import find_model
from services.gateway.model_server import ModelRef
from services.gateway.routes.model_paths import model_blueprint, model_route
from services.serving_api.examples_json import (
    format_classifications,
    format_regressions,
    parse_examples_body,
)

blueprint = model_blueprint("examples")


@model_route(blueprint, ":classify", "POST")
def classify(model: ModelRef) -> Response:
    """Answer the classes of each example, as TensorFlow Serving does."""
    signature_name, examples = parse_examples_body(request.get_data())
    find_model(model)
    result = gateway().model_server.classify(model, signature_name, examples, time_left())
    return Response(format_classifications(result), mimetype="application/json")


@model_route(blueprint, ":regress", "POST")
def regress(model: ModelRef) -> Response:
    """Answer one number for each example, as TensorFlow Serving does."""
    signature_name, examples = parse_examples_body(request.get_data())
    find_model(model)
    result = gateway().model_server.regress(model, signature_name, examples, time_left())
    return Response(format_regressions(result), mimetype="application/json")
