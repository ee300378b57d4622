"""The activations task: what a layer makes of an image."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response
from pydantic import Field

from services.gateway.answers import (
    JSON,
    PNG,
    json_response,
    model_member,
    negotiate,
    png_response,
)
from services.gateway.errors import ContentTooLarge, InvalidRequest
from services.gateway.image_inputs import ImageParameters, read_images
from services.gateway.inference import find_model, run
from services.gateway.limits import MOST_EXAMPLES
from services.gateway.model_server import ModelRef
from services.gateway.pictures import channel_pictures
from services.gateway.request_body import read_body, read_parameters
from services.gateway.routes.model_paths import model_blueprint, model_route
from services.gateway.tasks import ACTIVATIONS, task_signature
from services.gateway.tiling import contact_sheet, tile
from services.serving_api.signatures import TensorSpec

blueprint = model_blueprint("activations")


class ActivationsParameters(ImageParameters):
    """What a client may ask of activations."""

    layer: str | None = Field(
        None, description="the layer to look at; by default that with the most numbers"
    )


@model_route(blueprint, ":activations", "POST")
def activations(model: ModelRef) -> Response:
    """Answer a picture of each channel of a layer, or its numbers."""
    media_type = negotiate(PNG, JSON)
    body = read_body()
    parameters = read_parameters(ActivationsParameters, body)
    info = find_model(model)
    name, signature = task_signature(info, ACTIVATIONS)
    layer = _choose_layer(parameters.layer, signature.outputs)
    batch = read_images(body, signature, parameters.invert)
    _check_count(len(batch.images))
    outputs, version = run(model, name, {batch.input_name: batch.images})
    if media_type == PNG:
        try:
            sheets = [contact_sheet(channel_pictures(one)) for one in outputs[layer]]
        except ValueError as error:
            raise InvalidRequest(f"layer {layer!r}: {error}; ask for {JSON}") from None
        return png_response(tile(sheets))
    return json_response(
        {
            "model": model_member(model, version),
            "layer": layer,
            "activations": [
                {"file": file, "activation": activation}
                for file, activation in zip(batch.files, outputs[layer], strict=True)
            ],
        }
    )


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
