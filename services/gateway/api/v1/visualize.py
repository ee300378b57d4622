"""The feature visualization task: images that excite a channel of a layer."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from flask import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from typing_extensions import TypedDict

from services.gateway.api.body import FORM, URL_ENCODED, read_body
from services.gateway.api.calls import Body
from services.gateway.api.responses import (
    JSON,
    PNG,
    EncodedFile,
    Model,
    Number,
    json_response,
    model_member,
    negotiate,
    png_member,
    png_response,
)
from services.gateway.api.routing import Routes, Tag, v1_paths
from services.gateway.codecs.rendering import to_picture
from services.gateway.codecs.tiling import contact_sheet
from services.gateway.collaborators import Gateway
from services.gateway.inference.limits import MOST_EXAMPLES
from services.gateway.inference.tasks import VISUALIZE
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef, Prediction

routes = Routes("visualize", __name__, Tag.TASKS)

_DEFAULT_CHANNELS = 9
_INT32 = 2**31

Channel = Annotated[int, Field(ge=0, lt=_INT32)]


def _split(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


class VisualizeParameters(BaseModel):
    """Parameters of the feature visualization task."""

    model_config = ConfigDict(extra="forbid")

    layer: str | None = Field(
        None, description="the layer; by default the first that the model offers, by name"
    )
    channels: Annotated[list[Channel] | None, BeforeValidator(_split)] = Field(
        None,
        min_length=1,
        max_length=MOST_EXAMPLES,
        fail_fast=True,
        description="channels of the layer, comma-separated outside JSON; by default the first 9",
    )
    seed: int = Field(0, ge=-_INT32, lt=_INT32, description="decides on the image to start from")


class Visualization(TypedDict):
    """An image that excites a channel."""

    channel: int
    activation: Number
    image: EncodedFile


class Visualizations(TypedDict):
    """The answer of `:visualize`."""

    model: Model
    layer: str
    seed: int
    visualizations: list[Visualization]


@routes.call(
    "POST",
    *v1_paths(":visualize"),
    answers={PNG: bytes, JSON: Visualizations},
    parameters=VisualizeParameters,
    body=Body(
        dict.fromkeys((JSON, FORM, URL_ENCODED), VisualizeParameters),
        {"channels": {"layer": "conv1", "channels": [0, 1, 2, 3], "seed": 0}},
        required=False,
    ),
)
def visualize(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers an image for each channel that excites it, as one picture or apart."""
    media_type = negotiate(PNG, JSON)
    body = read_body(VisualizeParameters, gateway.settings.max_json_values, optional=True)
    parameters = body.parameters
    resolved = gateway.resolver.task(context, model, VISUALIZE, choice=parameters.layer)
    channels = _choose_channels(parameters.channels, resolved.choice, resolved.info)
    seeds = np.full(len(channels), parameters.seed, np.int32)
    inputs = {"channel": np.array(channels, np.int32), "seed": seeds}
    prediction = gateway.pipeline.run(resolved, inputs)
    if media_type == PNG:
        return png_response(contact_sheet([*map(to_picture, prediction.outputs["images"])]))
    answer: Visualizations = {
        "model": model_member(model, prediction.version),
        "layer": resolved.choice,
        "seed": parameters.seed,
        "visualizations": _describe(channels, prediction),
    }
    return json_response(answer)


def _choose_channels(asked: list[int] | None, layer: str, info: ModelInfo) -> list[int]:
    count = _channel_count(layer, info)
    if asked is None:
        return list(range(min(count or 1, _DEFAULT_CHANNELS)))
    if count is not None and max(asked) >= count:
        raise InvalidRequest(
            f"received channel {max(asked)}, expected 0 to {count - 1} for layer {layer!r}"
        )
    return asked


def _channel_count(layer: str, info: ModelInfo) -> int | None:
    """Returns how many channels a layer has; None where the model does not tell."""
    activations = info.signatures.get("activations")
    spec = activations.outputs.get(layer) if activations else None
    return spec.shape[-1] if spec and spec.shape else None


def _describe(channels: list[int], prediction: Prediction) -> list[Visualization]:
    images, activation = prediction.outputs["images"], prediction.outputs["activation"]
    return [
        {
            "channel": channel,
            "activation": activation[row],
            "image": png_member(to_picture(images[row])),
        }
        for row, channel in enumerate(channels)
    ]
