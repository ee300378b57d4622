"""The saliency task: the pixels that speak for a class."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from flask import Response
from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from services.gateway.api.body import read_body
from services.gateway.api.calls import image_body
from services.gateway.api.image_inputs import ImageParameters, read_images
from services.gateway.api.responses import (
    JSON,
    PNG,
    Model,
    Number,
    json_response,
    model_member,
    negotiate,
    png_response,
)
from services.gateway.api.routing import Routes, Tag, v1_paths
from services.gateway.codecs.overlays import overlay
from services.gateway.codecs.tiling import tile
from services.gateway.collaborators import Gateway
from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.inference.tasks import SALIENCY
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef, Prediction

routes = Routes("saliency", __name__, Tag.TASKS)

TOP_CLASS = -1


class SaliencyParameters(ImageParameters):
    """Parameters of the saliency task."""

    method: str = Field("gradient", description="one of the model's saliency methods")
    class_index: int = Field(
        TOP_CLASS,
        ge=TOP_CLASS,
        lt=2**31,
        description="the class to explain; -1 for the most probable one",
    )


@with_config(ConfigDict(extra="allow"))
class Explanation(TypedDict):
    """The attribution of one class to the pixels, and all other outputs of the signature."""

    class_index: int
    label: str | None
    attribution: list[list[Number]]


class Explanations(TypedDict):
    """The answer of `:saliency`."""

    model: Model
    method: str
    explanations: list[Explanation]


@routes.call(
    "POST",
    *v1_paths(":saliency"),
    *v1_paths(":explain"),
    answers={PNG: bytes, JSON: Explanations},
    parameters=SaliencyParameters,
    body=image_body(method="gradient", class_index=TOP_CLASS),
)
def saliency(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers a heat map over each image, or the attribution of every pixel."""
    media_type = negotiate(PNG, JSON)
    body = read_body(SaliencyParameters, gateway.settings.max_json_values)
    parameters = body.parameters
    resolved = gateway.resolver.task(context, model, SALIENCY, choice=parameters.method)
    _check_class(parameters.class_index, resolved.info)
    batch = read_images(body, resolved, gateway.settings)
    class_index = np.full(len(batch.images), parameters.class_index, np.int32)
    inputs = {batch.input_name: batch.images, "class_index": class_index}
    prediction = gateway.pipeline.run(resolved, inputs)
    if media_type == PNG:
        heat_maps = map(overlay, batch.images, prediction.outputs["attribution"])
        return png_response(tile(list(heat_maps)))
    return json_response(_describe(resolved, prediction))


def _check_class(class_index: int, info: ModelInfo) -> None:
    if info.class_count is not None and class_index >= info.class_count:
        raise InvalidRequest(
            f"class_index is {class_index}, expected 0 to {info.class_count - 1}, or -1 for the "
            "most probable class"
        )


def _describe(resolved: ResolvedRequest, prediction: Prediction) -> Explanations:
    outputs = prediction.outputs
    explanations: list[dict[str, Any]] = [
        {
            "class_index": int(class_index),
            "label": resolved.info.label(int(class_index)),
            **{name: outputs[name][row] for name in sorted(outputs) if name != "class_index"},
        }
        for row, class_index in enumerate(outputs["class_index"])
    ]
    return {
        "model": model_member(resolved.model, prediction.version),
        "method": resolved.choice,
        # A TypedDict cannot say that there may be more outputs.
        "explanations": cast(list[Explanation], explanations),
    }
