"""The calls of the Open Inference Protocol.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/
inference_rest.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from flask import Response, request

from services.gateway.api import probes
from services.gateway.api.model_paths import model_blueprint
from services.gateway.api.responses import JSON, json_response
from services.gateway.api.v2.messages import HEADER_LENGTH, read_inputs, read_request, write_answer
from services.gateway.api.v2.tensors import datatype_of
from services.gateway.collaborators import gateway
from services.gateway.inference.pipeline import check_shapes, find_model, run
from services.gateway.request.deadline import time_left
from services.gateway.request.errors import NotReady
from services.gateway.upstream.catalog import DEFAULT_SIGNATURE
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.protos import get_model_status_pb2
from services.serving_api.signatures import TensorSpec

blueprint = model_blueprint("v2")

_AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE
_PATHS = ("/v2/models/<model>", "/v2/models/<model>/versions/<int64:version>")

_View = Callable[[ModelRef], Any]


def _model_route(suffix: str, method: str) -> Callable[[_View], _View]:
    def decorate(view: _View) -> _View:
        for path in _PATHS:
            blueprint.add_url_rule(f"{path}{suffix}", view_func=view, methods=[method])
        return view

    return decorate


@blueprint.get("/v2")
def server_metadata() -> dict[str, Any]:
    """Answer who serves, and which extensions of the protocol it speaks."""
    return {
        "name": "lectern",
        "version": version("lectern"),
        "extensions": ["binary_tensor_data"],
    }


@blueprint.get("/v2/health/live")
def live() -> dict[str, bool]:
    """Answer 200: the process serves."""
    return {"live": True}


@blueprint.get("/v2/health/ready")
def ready() -> dict[str, bool]:
    """Answer 200 when every configured model can answer.

    Raises:
        NotReady: one cannot, or none is configured.
    """
    probes.ready()
    return {"ready": True}


@_model_route("/ready", "GET")
def model_ready(model: ModelRef) -> dict[str, Any]:
    """Answer 200 when the model can answer.

    Raises:
        ModelServerProblem: there is no such model.
        NotReady: no version of it, or not this one, is available.
    """
    if not _available_versions(model):
        raise NotReady(f"model {model.name!r} has no such version available")
    return {"name": model.name, "ready": True}


@_model_route("", "GET")
def model_metadata(model: ModelRef) -> Response:
    """Answer the versions of a model, and the tensors of its default signature."""
    signature = find_model(model).signature(DEFAULT_SIGNATURE)
    return json_response(
        {
            "name": model.name,
            "versions": _available_versions(ModelRef(model.name)),
            "platform": "tensorflow_savedmodel",
            "inputs": _describe(signature.inputs),
            "outputs": _describe(signature.outputs),
        }
    )


@_model_route("/infer", "POST")
def infer(model: ModelRef) -> Response:
    """Answer an inference; raw tensors come and go behind the JSON."""
    wanted, raw = read_request(
        request.get_data(),
        request.headers.get(HEADER_LENGTH),
        gateway().settings.max_json_values,
    )
    name = wanted.parameters.signature_name
    signature = find_model(model).signature(name)
    inputs = read_inputs(wanted.inputs, raw, signature)
    check_shapes(inputs, signature)
    prediction = run(model, name, inputs)
    head = {"model_name": model.name, "model_version": str(prediction.version)}
    document, raw = write_answer(wanted, head, prediction.outputs)
    if not raw:
        return Response(document, mimetype=JSON)
    response = Response(document + raw, mimetype="application/octet-stream")
    response.headers[HEADER_LENGTH] = str(len(document))
    return response


def _available_versions(model: ModelRef) -> list[str]:
    response = gateway().model_server.status(model, time_left())
    return [
        str(status.version)
        for status in response.model_version_status
        if status.state == _AVAILABLE
    ]


def _shape(spec: TensorSpec) -> tuple[int | None, ...]:
    return (None,) if spec.shape is None else spec.shape


def _describe(specs: Mapping[str, TensorSpec]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "datatype": datatype_of(spec.data_type),
            # The protocol knows no unknown rank; a single free dimension comes nearest.
            "shape": [-1 if size is None else size for size in _shape(spec)],
        }
        for name, spec in specs.items()
    ]
