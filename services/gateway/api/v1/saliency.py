"""The saliency task: which pixels speak for a class."""

from __future__ import annotations

from typing import Any

import numpy as np
from flask import Response
from pydantic import Field

from services.gateway.api.body import read_body, read_parameters
from services.gateway.api.image_inputs import ImageParameters, read_images
from services.gateway.api.model_paths import model_blueprint, model_route
from services.gateway.api.responses import (
    JSON,
    PNG,
    json_response,
    model_member,
    negotiate,
    png_response,
)
from services.gateway.codecs.overlays import overlay
from services.gateway.codecs.tiling import tile
from services.gateway.inference.pipeline import find_model, run
from services.gateway.inference.tasks import SALIENCY, chosen_signature
from services.gateway.request.errors import InvalidRequest
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef, Prediction

blueprint = model_blueprint("saliency")

TOP_CLASS = -1


class SaliencyParameters(ImageParameters):
    """What a client may ask of an explanation."""

    method: str = Field("gradient", description="one of the model's saliency methods")
    class_index: int = Field(
        TOP_CLASS,
        ge=TOP_CLASS,
        lt=2**31,
        description="the class to explain; -1 for the most probable one",
    )


@model_route(blueprint, ":saliency", "POST")
@model_route(blueprint, ":explain", "POST")
def saliency(model: ModelRef) -> Response:
    """Answer a heat map over each image, or the attribution of every pixel."""
    media_type = negotiate(PNG, JSON)
    body = read_body()
    parameters = read_parameters(SaliencyParameters, body)
    info = find_model(model)
    name, signature = chosen_signature(info, SALIENCY, parameters.method)
    _check_class(parameters.class_index, info)
    batch = read_images(body, signature, parameters.invert)
    class_index = np.full(len(batch.images), parameters.class_index, np.int32)
    prediction = run(model, name, {batch.input_name: batch.images, "class_index": class_index})
    if media_type == PNG:
        heat_maps = map(overlay, batch.images, prediction.outputs["attribution"])
        return png_response(tile(list(heat_maps)))
    return json_response(_describe(model, info, parameters.method, prediction))


def _check_class(class_index: int, info: ModelInfo) -> None:
    if info.class_count is not None and class_index >= info.class_count:
        raise InvalidRequest(
            f"class_index is {class_index}, expected 0 to {info.class_count - 1}, or -1 for the "
            "most probable class"
        )


def _describe(
    model: ModelRef, info: ModelInfo, method: str, prediction: Prediction
) -> dict[str, Any]:
    outputs = prediction.outputs
    explanations = [
        {
            "class_index": int(class_index),
            "label": info.label(int(class_index)),
            **{name: outputs[name][row] for name in sorted(outputs) if name != "class_index"},
        }
        for row, class_index in enumerate(outputs["class_index"])
    ]
    return {
        "model": model_member(model, prediction.version),
        "method": method,
        "explanations": explanations,
    }
