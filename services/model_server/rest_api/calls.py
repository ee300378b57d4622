"""The calls of the REST API: a route and a body in, JSON out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.message import Message

from services.model_server.core.describe import describe_signatures, describe_status
from services.model_server.core.errors import ServingError, invalid_argument
from services.model_server.core.manager import ModelManager
from services.model_server.core.predict import DEFAULT_SIGNATURE, predict
from services.model_server.rest_api.routes import Route
from services.serving_api.predict_json import (
    JsonError,
    format_predictions,
    parse_predict_body,
    to_arrays,
)
from services.serving_api.protos import error_codes_pb2, get_model_metadata_pb2, model_pb2

_Call = Callable[[ModelManager, model_pb2.ModelSpec, bytes], bytes]


def answer(manager: ModelManager, route: Route, body: bytes) -> bytes:
    """Answer one request.

    Raises:
        ServingError: what the client gets as `{"error": …}`.
    """
    try:
        return _CALLS[route.call](manager, route.spec, body)
    except JsonError as error:
        raise invalid_argument(str(error)) from None


def _predict(manager: ModelManager, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    request = parse_predict_body(body)
    name = request.signature_name or DEFAULT_SIGNATURE
    with manager.lease(spec) as (servable, _):
        if name not in servable.signatures:
            raise invalid_argument(f'Serving signature name: "{name}" not found in signature def')
        inputs = to_arrays(request, servable.signatures[name].inputs)
        outputs = predict(servable, name, inputs)
    return format_predictions(outputs, request.form)


def _status(manager: ModelManager, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    return orjson.dumps(_jsonable(describe_status(manager, spec)))


def _metadata(manager: ModelManager, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    response = describe_signatures(manager, spec)
    signature_map = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signature_map)
    document = {
        "model_spec": _jsonable(response.model_spec),
        "metadata": {"signature_def": _jsonable(signature_map)},
    }
    return orjson.dumps(document)


def _unimplemented(manager: ModelManager, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    raise ServingError(
        error_codes_pb2.UNIMPLEMENTED, "classify and regress are not built yet: use predict"
    )


def _jsonable(message: Message) -> dict[str, Any]:
    document: dict[str, Any] = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return document


_CALLS: dict[str, _Call] = {
    "predict": _predict,
    "classify": _unimplemented,
    "regress": _unimplemented,
    "status": _status,
    "metadata": _metadata,
}
