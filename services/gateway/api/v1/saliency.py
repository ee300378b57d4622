"""The saliency task: the pixels that speak for a class."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, cast

import numpy as np
import numpy.typing as npt
from flask import Response
from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from services.gateway.api.body import read_body
from services.gateway.api.calls import image_body
from services.gateway.api.image_inputs import ImageBatch, ImageParameters, read_images
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
from services.gateway.inference.black_box import TOP_CLASS, Explained, Options, explain, measure
from services.gateway.inference.pipeline import Pipeline
from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.inference.tasks import IMAGE_CLASSIFIER, RISE, SALIENCY
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest
from services.gateway.upstream.model_server import ModelRef

routes = Routes("saliency", __name__, Tag.TASKS)

DEFAULT_MASKS = 256


class SaliencyParameters(ImageParameters):
    """Parameters of the saliency task."""

    method: str | None = Field(
        None,
        description="one of the model's `saliency_methods` in `GET /v1/models`; by default "
        "gradient, or the first of them",
    )
    class_index: int = Field(
        TOP_CLASS,
        ge=TOP_CLASS,
        lt=2**31,
        description="the class to explain; -1 for the most probable one",
    )
    score: bool = Field(
        False,
        description="whether to measure how faithful each map is, by deletion and insertion; the "
        "answer is JSON then",
    )
    masks: int | None = Field(
        None,
        ge=16,
        le=8192,
        description=f"of the method rise: number of random masks; {DEFAULT_MASKS} if not given",
    )
    seed: int | None = Field(
        None,
        ge=0,
        lt=2**63,
        description="of the method rise: determines the masks; 0 if not given",
    )


class Scores(TypedDict):
    """How faithful a map is: areas under the curves of the class's score."""

    deletion: Annotated[
        Number, Field(description="as the pixels go, the most important first: lower is better")
    ]
    insertion: Annotated[
        Number, Field(description="as the pixels come, the most important first: higher is better")
    ]
    deletion_curve: list[Number]
    insertion_curve: list[Number]


@with_config(ConfigDict(extra="allow"))
class Explanation(TypedDict):
    """The attribution of one class to the pixels, and all other outputs of the signature."""

    class_index: int
    label: str | None
    attribution: list[list[Number]]
    scores: NotRequired[Scores]


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
    """Answers a heat map over each image, or the attribution of every pixel.

    The methods `occlusion` and `rise` explain every classifier of images, also one without
    signatures for saliency: they compare the predictions for copies of the image with hidden parts.
    """
    body = read_body(SaliencyParameters, gateway.settings.max_json_values)
    parameters = body.parameters
    media_type = negotiate(*[JSON] if parameters.score else [PNG, JSON])
    resolved = gateway.resolver.task(context, model, SALIENCY, choice=parameters.method)
    _check(parameters, resolved)
    batch = read_images(body, resolved, gateway.settings)
    explained = _explain(gateway.pipeline, resolved, batch, parameters)
    if media_type == PNG:
        heat_maps = map(overlay, batch.images, _heat(resolved, explained))
        return png_response(tile(list(heat_maps)))
    return json_response(_describe(resolved, explained))


def _check(parameters: SaliencyParameters, resolved: ResolvedRequest) -> None:
    class_count = resolved.info.class_count
    if class_count is not None and parameters.class_index >= class_count:
        raise InvalidRequest(
            f"class_index is {parameters.class_index}, expected 0 to {class_count - 1}, or -1 for "
            "the most probable class"
        )
    for name in ("masks", "seed"):
        if getattr(parameters, name) is not None and resolved.choice != RISE:
            raise InvalidRequest(
                f"received the parameter {name!r} for the method {resolved.choice!r}, expected it "
                f"only for {RISE!r}: leave it out, or send method={RISE}"
            )


def _explain(
    pipeline: Pipeline,
    resolved: ResolvedRequest,
    batch: ImageBatch,
    parameters: SaliencyParameters,
) -> Explained:
    class_index, score = parameters.class_index, parameters.score
    if resolved.kind is IMAGE_CLASSIFIER:
        masks = DEFAULT_MASKS if parameters.masks is None else parameters.masks
        options = Options(class_index, masks, parameters.seed or 0, score)
        return explain(pipeline, resolved, batch.images, options)
    classes = np.full(len(batch.images), class_index, np.int32)
    inputs = {batch.input_name: batch.images, "class_index": classes}
    outputs, version = pipeline.run(resolved, inputs)
    if not score:
        return Explained(outputs, version, [])
    classifier = resolved.then(SALIENCY, IMAGE_CLASSIFIER, version)
    return Explained(outputs, version, measure(pipeline, classifier, batch.images, outputs))


def _heat(resolved: ResolvedRequest, explained: Explained) -> npt.NDArray[Any]:
    """Returns the attributions to show, of which the magnitude is drawn."""
    attribution = explained.outputs["attribution"]
    # Of a method from outside, what speaks against the class is no evidence that it looked there.
    return np.maximum(attribution, 0) if resolved.kind is IMAGE_CLASSIFIER else attribution


def _describe(resolved: ResolvedRequest, explained: Explained) -> Explanations:
    outputs, scores = explained.outputs, explained.faithfulness
    explanations: list[dict[str, Any]] = [
        {
            "class_index": int(class_index),
            "label": resolved.info.label(int(class_index)),
            **{name: outputs[name][row] for name in sorted(outputs) if name != "class_index"},
            **({"scores": scores[row]._asdict()} if scores else {}),
        }
        for row, class_index in enumerate(outputs["class_index"])
    ]
    return {
        "model": model_member(resolved.model, explained.version),
        "method": resolved.choice,
        # A TypedDict cannot say that there may be more outputs.
        "explanations": cast(list[Explanation], explanations),
    }
