"""The calls of the REST API: a route and a body in, JSON out."""

from __future__ import annotations

from collections.abc import Callable

from services.model_server.errors import invalid_argument
from services.model_server.inference.inference import Inference
from services.model_server.models.describe import (
    describe_models,
    describe_signatures,
    describe_status,
)
from services.model_server.operations.predict import DEFAULT_SIGNATURE, predict
from services.model_server.rest_api.routes import Route
from services.serving_api.protos import classification_pb2, model_pb2, regression_pb2
from services.serving_api.rest_json.errors import JsonError
from services.serving_api.rest_json.examples import (
    format_classifications,
    format_regressions,
    parse_examples_body,
)
from services.serving_api.rest_json.models import metadata_json, models_json, status_json
from services.serving_api.rest_json.predict import (
    format_predictions,
    parse_predict_body,
    to_arrays,
)

_Call = Callable[[Inference, model_pb2.ModelSpec, bytes], bytes]


def answer(inference: Inference, route: Route, body: bytes) -> bytes:
    """Answer one request.

    Raises:
        ServingError: what the client gets as `{"error": …}`.
    """
    try:
        return _CALLS[route.call](inference, route.spec, body)
    except JsonError as error:
        raise invalid_argument(str(error)) from None


def _predict(inference: Inference, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    request = parse_predict_body(body)
    name = spec.signature_name = request.signature_name or DEFAULT_SIGNATURE
    with inference.lease(spec, "Predict") as (servable, _):
        if name not in servable.signatures:
            raise invalid_argument(f'Serving signature name: "{name}" not found in signature def')
        inputs = to_arrays(request, servable.signatures[name].inputs)
        outputs = predict(servable, name, inputs)
    return format_predictions(outputs, request.form)


def _classify(inference: Inference, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    spec.signature_name, examples = parse_examples_body(body)
    request = classification_pb2.ClassificationRequest(model_spec=spec, input=examples)
    return format_classifications(inference.classify(request).result)


def _regress(inference: Inference, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    spec.signature_name, examples = parse_examples_body(body)
    request = regression_pb2.RegressionRequest(model_spec=spec, input=examples)
    return format_regressions(inference.regress(request).result)


def _status(inference: Inference, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    return status_json(describe_status(inference.manager, spec)).encode()


def _metadata(inference: Inference, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    return metadata_json(describe_signatures(inference.manager, spec)).encode()


def _models(inference: Inference, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    return models_json(describe_models(inference.manager)).encode()


_CALLS: dict[str, _Call] = {
    "predict": _predict,
    "classify": _classify,
    "regress": _regress,
    "status": _status,
    "metadata": _metadata,
    "models": _models,
}
