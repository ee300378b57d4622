"""The predict task: TensorFlow Serving's JSON for any model, or image files for a classifier."""

from __future__ import annotations

from typing import Any

import grpc
import numpy as np
from flask import Response
from pydantic import Field

from services.gateway.api.body import (
    FilesBody,
    JsonBody,
    NoParameters,
    read_body,
    read_parameters,
)
from services.gateway.api.image_inputs import ImageParameters, read_images
from services.gateway.api.model_paths import model_blueprint, model_route
from services.gateway.api.responses import json_response, model_member
from services.gateway.cascade_setting import Cascade
from services.gateway.codecs.image_decoder import find_image_input
from services.gateway.inference.cascade import MODEL_NAME, MODEL_VERSION, run_cascade
from services.gateway.inference.pipeline import check_shapes, find_cascade, find_model, run
from services.gateway.inference.tasks import PREDICT, task_signature
from services.gateway.request.errors import InvalidRequest, ModelServerProblem
from services.gateway.upstream.catalog import DEFAULT_SIGNATURE, ModelInfo
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.arrays import Arrays
from services.serving_api.rest_json.predict import (
    format_predictions,
    read_predict_document,
    to_arrays,
)
from services.serving_api.signatures import Signature

blueprint = model_blueprint("predict")


class PredictParameters(ImageParameters):
    """What a client may ask of a prediction from image files."""

    top: int = Field(5, ge=1, description="how many of the most probable classes to answer")


@model_route(blueprint, ":predict", "POST")
def predict(model: ModelRef) -> Response:
    """Answer a prediction in the form of the request."""
    body = read_body()
    cascade = find_cascade(model)
    info = find_model(ModelRef(cascade.small) if cascade else model)
    if isinstance(body, JsonBody):
        return _predict_json(model, info, body, cascade)
    return _predict_images(model, info, body, cascade)


def _predict_json(
    model: ModelRef, info: ModelInfo, body: JsonBody, cascade: Cascade | None
) -> Response:
    read_parameters(NoParameters)
    document = read_predict_document(body.document)
    name = document.signature_name or DEFAULT_SIGNATURE
    signature = info.signature(name)
    inputs = to_arrays(document, signature.inputs)
    if cascade is None:
        outputs = _run_as_it_is(model, name, signature, inputs)
    elif name == DEFAULT_SIGNATURE:
        outputs = run_cascade(cascade, inputs[find_image_input(signature)[0]])
    else:
        raise InvalidRequest(f"a cascade runs {DEFAULT_SIGNATURE!r} alone, received {name!r}")
    return Response(format_predictions(outputs, document.form), mimetype="application/json")


def _run_as_it_is(model: ModelRef, name: str, signature: Signature, inputs: Arrays) -> Arrays:
    """Run a signature on inputs of any shape: as in TensorFlow Serving, the graph decides."""
    try:
        return run(model, name, inputs).outputs
    except ModelServerProblem as problem:
        if problem.code == grpc.StatusCode.INVALID_ARGUMENT:
            # Says in plain words what a graph says in its own.
            check_shapes(inputs, signature)
        raise


def _predict_images(
    model: ModelRef, info: ModelInfo, body: FilesBody, cascade: Cascade | None
) -> Response:
    parameters = read_parameters(PredictParameters, body)
    name, signature = task_signature(info, PREDICT)
    batch = read_images(body, signature, parameters.invert)
    if cascade:
        answer: dict[str, Any] = {"cascade": cascade.name}
        outputs: Arrays = run_cascade(cascade, batch.images)
    else:
        outputs, version = run(model, name, {batch.input_name: batch.images})
        answer = {"model": model_member(model, version)}
    if not _is_classification(outputs):
        return Response(format_predictions(outputs, "instances"), mimetype="application/json")
    predictions = [
        {"file": file, **_speaker(outputs, row), **_top_classes(outputs, row, info, parameters.top)}
        for row, file in enumerate(batch.files)
    ]
    return json_response({**answer, "predictions": predictions})


def _speaker(outputs: Arrays, row: int) -> dict[str, Any]:
    """Say which model of a cascade spoke for an image."""
    if MODEL_NAME not in outputs:
        return {}
    speaker = ModelRef(outputs[MODEL_NAME][row].decode())
    return {"model": model_member(speaker, outputs[MODEL_VERSION][row])}


def _is_classification(outputs: Arrays) -> bool:
    return "probabilities" in outputs and outputs["probabilities"].ndim == 2


def _top_classes(outputs: Arrays, row: int, info: ModelInfo, top: int) -> dict[str, Any]:
    """Describe the most probable class of one image, and under `top` the first few."""
    probabilities = outputs["probabilities"][row]  # [K]
    classes = [
        {
            "label": info.label(int(index)),
            "class_index": int(index),
            "probability": probabilities[index],
        }
        for index in np.argsort(-probabilities, kind="stable")[:top]
    ]
    # A model without the signature that names every class still names the top one.
    if "label" in outputs and outputs["label"].dtype.kind == "O":
        classes[0]["label"] = outputs["label"][row].decode(errors="replace")
    return {**classes[0], "top": classes}
