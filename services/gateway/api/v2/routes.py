"""The calls of the Open Inference Protocol.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/
inference_rest.md
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from flask import Response, request
from typing_extensions import TypedDict

from services.gateway.api.body import check_no_parameters
from services.gateway.api.calls import Body
from services.gateway.api.probes import check_ready
from services.gateway.api.responses import JSON, json_response, model_member
from services.gateway.api.routing import Routes, Tag, v2_paths
from services.gateway.api.v2.messages import (
    HEADER_LENGTH,
    Inference,
    InferRequest,
    TensorSpec,
    read_inputs,
    read_request,
    write_answer,
)
from services.gateway.collaborators import Gateway
from services.gateway.inference.pipeline import check_shapes
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import NotReady
from services.gateway.upstream.model_server import ModelRef, available_versions
from services.serving_api import signatures
from services.serving_api.open_inference import datatype_of, shape_of
from services.serving_api.signatures import DEFAULT_SIGNATURE

routes = Routes("v2", __name__, Tag.PROTOCOL)

RAW = "application/octet-stream"

# Raw tensors may follow the JSON, which OpenAPI cannot describe.
_BODY = Body(
    {JSON: InferRequest},
    {
        "labels": {
            "parameters": {"signature_name": "class_labels"},
            "inputs": [{"name": "class_index", "shape": [2], "datatype": "INT32", "data": [0, 1]}],
        }
    },
)


class ServerMetadata(TypedDict):
    """The server, as the Open Inference Protocol describes it."""

    name: str
    version: str
    extensions: list[str]


class ServerState(TypedDict, total=False):
    """The state of the server."""

    live: bool
    ready: bool


class ModelState(TypedDict):
    """The readiness of a model."""

    name: str
    ready: bool


class TensorMetadata(TypedDict):
    """The tensors of a model's default signature."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]


@routes.call("GET", "/v2", answers={JSON: ServerMetadata})
def server_metadata(_gateway: Gateway, _context: RequestContext) -> ServerMetadata:
    """Answers the server's name and version, and the extensions of the protocol that it speaks."""
    check_no_parameters()
    return {
        "name": "lectern",
        "version": version("lectern"),
        "extensions": ["binary_tensor_data", "classification"],
    }


@routes.call("GET", "/v2/health/live", answers={JSON: ServerState})
def live(_gateway: Gateway, _context: RequestContext) -> ServerState:
    """Answers 200: the process serves."""
    return {"live": True}


@routes.call("GET", "/v2/health/ready", answers={JSON: ServerState})
def ready(gateway: Gateway, _context: RequestContext) -> ServerState:
    """Answers 200 when every configured model can answer.

    Raises:
        NotReady: one cannot, or none is configured.
    """
    check_ready(gateway)
    return {"ready": True}


@routes.call("GET", *v2_paths("/ready"), answers={JSON: ModelState})
def model_ready(gateway: Gateway, context: RequestContext, model: ModelRef) -> ModelState:
    """Answers 200 when the model can answer.

    Raises:
        ModelServerProblem: there is no such model.
        NotReady: no version of it, or not this one, is available.
    """
    check_no_parameters()
    if not available_versions(gateway.model_server.status(model, context)):
        raise NotReady(f"model {model.name!r} has no such version available")
    return {"name": model.name, "ready": True}


@routes.call("GET", *v2_paths(""), answers={JSON: TensorMetadata})
def model_metadata(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers the versions of a model, and the tensors of its default signature."""
    check_no_parameters()
    signature = gateway.resolver.signature(context, model, DEFAULT_SIGNATURE).signature
    versions = available_versions(gateway.model_server.status(ModelRef(model.name), context))
    answer: TensorMetadata = {
        "name": model.name,
        "versions": list(map(str, versions)),
        "platform": "tensorflow_savedmodel",
        "inputs": _describe(signature.inputs),
        "outputs": _describe(signature.outputs),
    }
    return json_response(answer)


@routes.call(
    "POST",
    *v2_paths("/infer"),
    answers={JSON: Inference, RAW: bytes},
    body=_BODY,
)
def infer(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers an inference; raw tensors come and go behind the JSON."""
    check_no_parameters()
    wanted, raw = read_request(
        request.get_data(), request.headers.get(HEADER_LENGTH), gateway.settings.max_json_values
    )
    resolved = gateway.resolver.signature(context, model, wanted.parameters.signature_name)
    inputs = read_inputs(wanted.inputs, raw, resolved.signature)
    # Their values take ten times the memory of the arrays, and the model may take its time.
    wanted.inputs.clear()
    check_shapes(inputs, resolved.signature)
    prediction = gateway.pipeline.run(resolved, inputs)
    answerer = model_member(model, prediction.version)
    document, raw = write_answer(wanted, answerer, prediction.outputs, resolved.info.labels)
    if not raw:
        return Response(document, mimetype=JSON)
    response = Response(document + raw, mimetype=RAW)
    response.headers[HEADER_LENGTH] = str(len(document))
    return response


def _describe(specs: Mapping[str, signatures.TensorSpec]) -> list[TensorSpec]:
    return [
        {"name": name, "datatype": datatype_of(spec.data_type), "shape": shape_of(spec)}
        for name, spec in specs.items()
    ]
