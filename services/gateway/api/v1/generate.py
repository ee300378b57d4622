"""The generation task: images from seeds or latent vectors or between two of either, and text."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from flask import Response
from pydantic import Field
from typing_extensions import TypedDict

from services.gateway.api.body import FORM, URL_ENCODED, FilesBody, JsonBody, read_body
from services.gateway.api.calls import Body, Files, OptionalImages
from services.gateway.api.image_inputs import ImageParameters, read_images
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
from services.gateway.api.v1.generate_text import (
    PLAIN_TEXT,
    Continuations,
    Prompts,
    answer_text,
)
from services.gateway.codecs.rendering import to_picture
from services.gateway.codecs.tiling import contact_sheet
from services.gateway.collaborators import Gateway
from services.gateway.inference.latent_space import interpolate
from services.gateway.inference.limits import MOST_EXAMPLES
from services.gateway.inference.pipeline import Pipeline, check_shapes
from services.gateway.inference.resolution import ResolvedRequest, tasks_of
from services.gateway.inference.tasks import (
    DECODE_LATENT,
    ENCODE_LATENT,
    GENERATE,
    GENERATE_FROM_SEED,
    GENERATE_TEXT,
    TEXT_FROM_PROMPT,
    SignatureKind,
)
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.arrays import Arrays

routes = Routes("generate", __name__, Tag.TASKS, example_model="vae")

_INT64 = 2**63
_DEFAULT_IMAGES = 16
_DEFAULT_TEXTS = 1

Seed = Annotated[int, Field(ge=-_INT64, lt=_INT64 - MOST_EXAMPLES)]
LatentVector = Annotated[list[Annotated[float, Field(ge=-1000, le=1000)]], Field(fail_fast=True)]


class GenerateParameters(ImageParameters):
    """Parameters of the generation task."""

    prompt: Prompts | None = Field(
        None, description="a text to continue, or a list of texts; by default the empty text"
    )
    count: int | None = Field(
        None,
        ge=1,
        le=MOST_EXAMPLES,
        description="images (by default 16), or texts for each prompt (by default 1); each has the "
        "next seed",
    )
    seed: Seed = Field(0, description="of the first sample; the same seed gives the same sample")
    temperature: float = Field(
        1.0, ge=0, le=10, description="a low one gives typical samples, a high one unusual ones"
    )
    to_seed: Seed | None = Field(None, description="walk from the image of `seed` to that of this")
    steps: int = Field(
        8, ge=2, le=MOST_EXAMPLES, description="images of a walk between two seeds or two images"
    )
    latent: list[LatentVector] | None = Field(
        None,
        fail_fast=True,
        min_length=1,
        max_length=MOST_EXAMPLES,
        description="latent vectors to decode, in JSON alone",
    )


class Sample(TypedDict):
    """A generated image."""

    seed: int | None
    latent: list[Number]
    image: EncodedFile


class Samples(TypedDict):
    """The answer of `:generate`."""

    model: Model
    samples: list[Sample]


_EXAMPLES = {
    "samples": {"count": 4, "seed": 7, "temperature": 0.8},
    "walk": {"seed": 1, "to_seed": 2, "steps": 8},
    "latent": {"latent": [[0.0] * 20]},
    "text": {"prompt": "In the beginning", "seed": 7, "temperature": 0.8},
}

_Body = JsonBody[GenerateParameters] | FilesBody[GenerateParameters]


class _Samples(NamedTuple):
    """Generated images.

    Attributes:
        images: [N, H, W, C], 0 to 255.
        latent: [N, L].
        seeds: of each image, None where none made it.
        version: of the model that made them.
    """

    images: npt.NDArray[Any]
    latent: npt.NDArray[Any]
    seeds: list[int | None]
    version: int


@routes.call(
    "POST",
    *v1_paths(":generate"),
    answers={PNG: bytes, JSON: Samples | Continuations, PLAIN_TEXT: str},
    parameters=GenerateParameters,
    body=Body(
        {JSON: OptionalImages, FORM: Files, URL_ENCODED: GenerateParameters},
        _EXAMPLES,
        required=False,
    ),
)
def generate(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers new images, as one picture or each with its latent vector; or continues a `prompt`.

    Continuations are answered as JSON, a single one also as `text/plain`.
    """
    body = read_body(GenerateParameters, gateway.settings.max_json_values, optional=True)
    kind = _kind_for(body, gateway.resolver.model(context, model))
    if kind is TEXT_FROM_PROMPT:
        resolved = gateway.resolver.task(context, model, GENERATE_TEXT)
        prompts, temperature = body.parameters.prompt or [""], body.parameters.temperature
        seeds = _seeds(body.parameters, _DEFAULT_TEXTS)
        return answer_text(gateway.pipeline, resolved, prompts, seeds, temperature)
    return _answer_images(gateway, gateway.resolver.task(context, model, GENERATE, kind=kind), body)


def _answer_images(gateway: Gateway, resolved: ResolvedRequest, body: _Body) -> Response:
    media_type = negotiate(PNG, JSON)
    samples = _sample(gateway, resolved, body)
    pictures = [*map(to_picture, samples.images)]
    if media_type == PNG:
        return png_response(contact_sheet(pictures))
    rows = zip(samples.seeds, samples.latent, pictures, strict=True)
    answer: Samples = {
        "model": model_member(resolved.model, samples.version),
        "samples": [
            {"seed": seed, "latent": latent, "image": png_member(picture)}
            for seed, latent, picture in rows
        ],
    }
    return json_response(answer)


def _kind_for(body: _Body, info: ModelInfo) -> SignatureKind:
    """Returns the signature that a form of the task begins with.

    Raises:
        InvalidRequest: the body mixes two forms.
    """
    forms = {
        "latent": (body.parameters.latent is not None, DECODE_LATENT),
        "to_seed": (body.parameters.to_seed is not None, GENERATE_FROM_SEED),
        "images": (_holds_images(body), ENCODE_LATENT),
        "prompt": (body.parameters.prompt is not None, TEXT_FROM_PROMPT),
    }
    given = [name for name, (is_given, _) in forms.items() if is_given]
    if len(given) > 1:
        raise InvalidRequest(f"received {given}, expected one of them or none")
    if given:
        return forms[given[0]][1]
    tasks = tasks_of(info)
    has_only_text = GENERATE_TEXT.name in tasks and GENERATE.name not in tasks
    return TEXT_FROM_PROMPT if has_only_text else GENERATE_FROM_SEED


def _seeds(parameters: GenerateParameters, default_count: int) -> list[int]:
    return [parameters.seed + index for index in range(parameters.count or default_count)]


def _sample(gateway: Gateway, resolved: ResolvedRequest, body: _Body) -> _Samples:
    parameters = body.parameters
    if parameters.latent is not None:
        return _decode(gateway.pipeline, resolved, _to_array(parameters.latent))
    if resolved.kind is ENCODE_LATENT:
        return _between_images(gateway, resolved, body)
    if parameters.to_seed is not None:
        return _between_seeds(gateway.pipeline, resolved, parameters, parameters.to_seed)
    seeds = _seeds(parameters, _DEFAULT_IMAGES)
    return _from_seeds(gateway.pipeline, resolved, seeds, parameters.temperature)


def _holds_images(body: _Body) -> bool:
    if isinstance(body, FilesBody):
        return bool(body.files)
    return isinstance(body.document, dict) and bool({"instances", "inputs"} & body.document.keys())


def _to_array(latent: list[list[float]]) -> npt.NDArray[np.float32]:
    if len({len(vector) for vector in latent}) > 1:
        raise InvalidRequest(
            f"received latent vectors of {sorted({len(vector) for vector in latent})} numbers, "
            "expected one length"
        )
    return np.array(latent, np.float32)


def _from_seeds(
    pipeline: Pipeline, resolved: ResolvedRequest, seeds: list[int], temperature: float
) -> _Samples:
    temperatures = np.full(len(seeds), temperature, np.float32)
    inputs: Arrays = {"seed": np.array(seeds, np.int64), "temperature": temperatures}
    outputs, version = pipeline.run(resolved, inputs)
    return _Samples(outputs["images"], outputs["latent"], [*seeds], version)


def _between_seeds(
    pipeline: Pipeline, resolved: ResolvedRequest, parameters: GenerateParameters, to_seed: int
) -> _Samples:
    ends = _from_seeds(pipeline, resolved, [parameters.seed, to_seed], parameters.temperature)
    latent = interpolate(ends.latent[0], ends.latent[1], parameters.steps)
    walk = _decode(pipeline, resolved.then(GENERATE, DECODE_LATENT, ends.version), latent)
    return walk._replace(seeds=[parameters.seed, *[None] * (len(latent) - 2), to_seed])


def _between_images(gateway: Gateway, resolved: ResolvedRequest, body: _Body) -> _Samples:
    batch = read_images(body, resolved, gateway.settings)
    if len(batch.images) != 2:
        raise InvalidRequest(f"received {len(batch.images)} images, expected two to walk between")
    outputs, version = gateway.pipeline.run(resolved, {batch.input_name: batch.images})
    latent = interpolate(outputs["mean"][0], outputs["mean"][1], body.parameters.steps)
    return _decode(gateway.pipeline, resolved.then(GENERATE, DECODE_LATENT, version), latent)


def _decode(
    pipeline: Pipeline, resolved: ResolvedRequest, latent: npt.NDArray[np.float32]
) -> _Samples:
    inputs = {"latent": latent}
    check_shapes(inputs, resolved.signature)
    outputs, version = pipeline.run(resolved, inputs)
    return _Samples(outputs["images"], latent, [None] * len(latent), version)
