"""The activations task: what a layer makes of an image."""

from __future__ import annotations

import math
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
from services.gateway.image_inputs import MOST_PICTURES, ImageParameters, read_images
from services.gateway.inference import find_model, run
from services.gateway.model_server import ModelRef
from services.gateway.pictures import channel_pictures
from services.gateway.request_body import read_body, read_parameters
from services.gateway.routes.model_paths import model_blueprint, model_route
from services.gateway.tasks import ACTIVATIONS, task_signature
from services.gateway.tiling import contact_sheet, tile
from services.serving_api.signatures import TensorSpec

blueprint = model_blueprint("activations")

_MOST_NUMBERS = 2**24
"""Of all layers together, since the model server answers them all: 64 MiB."""


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
    batch = read_images(body, signature, parameters.invert, MOST_PICTURES)
    _check_size(len(batch.images), signature.outputs)
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
        return max(sorted(layers), key=lambda name: _count(layers[name]))
    if asked not in layers:
        known = {name: str(layers[name]) for name in sorted(layers)}
        raise InvalidRequest(f"received the layer {asked!r}, expected one of {known}")
    return asked


def _check_size(images: int, layers: Mapping[str, TensorSpec]) -> None:
    each = sum(map(_count, layers.values()))
    if images * each > _MOST_NUMBERS:
        raise ContentTooLarge(
            f"the layers of {images} images have {images * each} numbers, expected at most "
            f"{_MOST_NUMBERS}: send fewer images in one request"
        )


def _count(layer: TensorSpec) -> int:
    return math.prod(size or 0 for size in (layer.shape or ())[1:])
