"""The activations task: the output of a layer for an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from flask import Response
from pydantic import Field
from typing_extensions import TypedDict

from services.gateway.api.body import read_body
from services.gateway.api.calls import image_body
from services.gateway.api.image_inputs import ImageParameters, read_images
from services.gateway.api.responses import (
    JSON,
    PNG,
    Model,
    json_response,
    model_member,
    negotiate,
    png_response,
)
from services.gateway.api.routing import Routes, Tag, v1_paths
from services.gateway.codecs.rendering import channel_pictures
from services.gateway.codecs.tiling import contact_sheet, tile
from services.gateway.collaborators import Gateway
from services.gateway.inference.limits import MOST_EXAMPLES
from services.gateway.inference.tasks import ACTIVATIONS
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import ContentTooLarge, InvalidRequest
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.signatures import TensorSpec

routes = Routes("activations", __name__, Tag.TASKS)


class ActivationsParameters(ImageParameters):
    """Parameters of the activations task."""

    layer: str | None = Field(
        None, description="the layer to look at; by default that with the most numbers"
    )


class Activation(TypedDict):
    """The output of a layer for one image."""

    file: str | None
    activation: Annotated[list[Any], Field(description="[h, w, C], [T, C] or [C]")]


class Activations(TypedDict):
    """The answer of `:activations`."""

    model: Model
    layer: str
    activations: list[Activation]


@routes.call(
    "POST",
    *v1_paths(":activations"),
    answers={PNG: bytes, JSON: Activations},
    parameters=ActivationsParameters,
    body=image_body(layer="conv1"),
)
def activations(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers a picture of each channel of a layer, or its numbers."""
    media_type = negotiate(PNG, JSON)
    body = read_body(ActivationsParameters, gateway.settings.max_json_values)
    found = gateway.resolver.task(context, model, ACTIVATIONS)
    layer = _choose_layer(body.parameters.layer, found.signature.outputs)
    resolved = found.only(layer)
    batch = read_images(body, resolved, gateway.settings)
    _check_count(len(batch.images))
    outputs, version = gateway.pipeline.run(resolved, {batch.input_name: batch.images})
    if media_type == PNG:
        try:
            sheets = [contact_sheet(channel_pictures(one)) for one in outputs[layer]]
        except ValueError as error:
            raise InvalidRequest(f"layer {layer!r}: {error}; ask for {JSON}") from None
        return png_response(tile(sheets))
    answer: Activations = {
        "model": model_member(model, version),
        "layer": layer,
        "activations": [
            {"file": file, "activation": activation}
            for file, activation in zip(batch.files, outputs[layer], strict=True)
        ],
    }
    return json_response(answer)


def _choose_layer(asked: str | None, layers: Mapping[str, TensorSpec]) -> str:
    if asked is None:
        # The first of equals by name, since a mapping on the wire has no order.
        return max(sorted(layers), key=lambda name: layers[name].row_size)
    if asked not in layers:
        known = {name: str(layers[name]) for name in sorted(layers)}
        raise InvalidRequest(f"received the layer {asked!r}, expected one of {known}")
    return asked


def _check_count(images: int) -> None:
    if images > MOST_EXAMPLES:
        raise ContentTooLarge(
            f"received {images} images, expected at most {MOST_EXAMPLES} in one request: send fewer"
        )
