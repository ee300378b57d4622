"""Which models there are, their versions and states, and their signatures."""

from __future__ import annotations

from typing import Any

import grpc
from flask import Response

from services.gateway.api.model_cards import find_card
from services.gateway.api.model_paths import model_blueprint, model_route
from services.gateway.api.responses import json_response
from services.gateway.cascade_setting import Cascade
from services.gateway.collaborators import gateway
from services.gateway.inference.pipeline import find_cascade
from services.gateway.inference.tasks import PREDICT, tasks_of
from services.gateway.middleware.access_log import note_model
from services.gateway.request.deadline import time_left
from services.gateway.request.errors import Missing, ModelServerProblem
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.protos import get_model_status_pb2
from services.serving_api.rest_json.models import metadata_json, status_json

blueprint = model_blueprint("models")

_State = get_model_status_pb2.ModelVersionStatus.State


@blueprint.get("/v1/models")
def list_models() -> Response:
    """Answer every configured model with its versions, their states, its tasks and its classes.

    A cascade has no versions of its own; it tells its two models and its threshold.
    """
    models = [_describe(ModelRef(name)) for name in gateway().model_names]
    cascades = [_describe_cascade(cascade) for cascade in gateway().cascades.values()]
    return json_response({"models": models + cascades})


@model_route(blueprint, "", "GET")
def status(model: ModelRef) -> Response:
    """Answer TensorFlow Serving's model status; of a cascade, that of its small model."""
    model = _first(model)
    response = gateway().model_server.status(model, time_left())
    note_model(model.name)
    return Response(status_json(response), mimetype="application/json")


@model_route(blueprint, "/metadata", "GET")
def metadata(model: ModelRef) -> Response:
    """Answer TensorFlow Serving's model metadata; of a cascade, that of its small model."""
    model = _first(model)
    response = gateway().model_server.metadata(model, time_left())
    note_model(model.name)
    return Response(metadata_json(response), mimetype="application/json")


@blueprint.get("/v1/models/<model>/card")
def card(model: ModelRef) -> Response:
    """Answer the model's card, in Markdown: what it is for, its data, quality and limits.

    Raises:
        Missing: there is none.
    """
    path = find_card(model.name)
    if path is None:
        raise Missing(
            f"model {model.name!r} has no card, expected {model.name}/README.md beside the file "
            "that LECTERN_MODEL_CONFIG_FILE names"
        )
    note_model(model.name)
    return Response(path.read_bytes(), mimetype="text/markdown")


def _first(model: ModelRef) -> ModelRef:
    """Return the model that a request goes to first, whose inputs are those of the cascade."""
    cascade = find_cascade(model)
    return ModelRef(cascade.small) if cascade else model


def _describe_cascade(cascade: Cascade) -> dict[str, Any]:
    models = {"small": cascade.small, "large": cascade.large, "threshold": cascade.threshold}
    return {"name": cascade.name, "versions": [], "tasks": [PREDICT], "cascade": models}


def _describe(model: ModelRef) -> dict[str, Any]:
    try:
        response = gateway().model_server.status(model, time_left())
    except ModelServerProblem as problem:
        if problem.code != grpc.StatusCode.NOT_FOUND:
            raise
        return {"name": model.name, "versions": [], "tasks": [], "classes": [], "card": False}
    versions = [
        {"version": str(version.version), "state": _State.Name(version.state)}
        for version in response.model_version_status
    ]
    available = any(version["state"] == "AVAILABLE" for version in versions)
    info = gateway().catalog.model(model, time_left()) if available else None
    return {
        "name": model.name,
        "versions": versions,
        "tasks": tasks_of(info) if info else [],
        "classes": info.classes if info else [],
        "card": find_card(model.name) is not None,
    }
