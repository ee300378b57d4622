"""The calls of the REST API: a route and a body in, JSON out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

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
from services.serving_api.rest_json.errors import JsonError, TooManyValuesError
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


class _Request(NamedTuple):
    spec: model_pb2.ModelSpec
    body: bytes
    max_json_values: int


_Call = Callable[[Inference, _Request], bytes]


def answer(inference: Inference, route: Route, body: bytes, max_json_values: int) -> bytes:
    """Answers one request.

    Args:
        inference: the core.
        route: the call and the model.
        body: JSON, for the calls that take some.
        max_json_values: see `parse_json`.

    Raises:
        ServingError: the error that the client gets as `{"error": …}`.
    """
    try:
        return _CALLS[route.call](inference, _Request(route.spec, body, max_json_values))
    except TooManyValuesError as error:
        raise invalid_argument(f"{error}, or raise --rest_api_max_json_values") from None
    except JsonError as error:
        raise invalid_argument(str(error)) from None


def _predict(inference: Inference, request: _Request) -> bytes:
    document = parse_predict_body(request.body, request.max_json_values)
    form = document.form
    name = request.spec.signature_name = document.signature_name or DEFAULT_SIGNATURE
    with inference.lease(request.spec, "Predict") as (servable, _):
        if name not in servable.signatures:
            raise invalid_argument(f'Serving signature name: "{name}" not found in signature def')
        inputs = to_arrays(document, servable.signatures[name].inputs)
        # The arrays take a tenth of its memory, and the model may take its time.
        del document
        outputs = predict(servable, name, inputs)
    return format_predictions(outputs, form)


def _classify(inference: Inference, request: _Request) -> bytes:
    request.spec.signature_name, examples = parse_examples_body(
        request.body, request.max_json_values
    )
    message = classification_pb2.ClassificationRequest(model_spec=request.spec, input=examples)
    return format_classifications(inference.classify(message).result)


def _regress(inference: Inference, request: _Request) -> bytes:
    request.spec.signature_name, examples = parse_examples_body(
        request.body, request.max_json_values
    )
    message = regression_pb2.RegressionRequest(model_spec=request.spec, input=examples)
    return format_regressions(inference.regress(message).result)


def _status(inference: Inference, request: _Request) -> bytes:
    return status_json(describe_status(inference.manager, request.spec)).encode()


def _metadata(inference: Inference, request: _Request) -> bytes:
    return metadata_json(describe_signatures(inference.manager, request.spec)).encode()


def _models(inference: Inference, _request: _Request) -> bytes:
    return models_json(describe_models(inference.manager)).encode()


_CALLS: dict[str, _Call] = {
    "predict": _predict,
    "classify": _classify,
    "regress": _regress,
    "status": _status,
    "metadata": _metadata,
    "models": _models,
}
