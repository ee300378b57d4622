"""The models: their versions, states, signatures and cards."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NotRequired

import grpc
import orjson
from flask import Response
from pydantic import Field
from typing_extensions import TypedDict

from services.gateway.api.responses import JSON, json_response
from services.gateway.api.routing import Routes, Tag, v1_paths
from services.gateway.cascade_setting import Cascade
from services.gateway.codecs.image_decoder import ImageSpec, find_image_input, image_spec
from services.gateway.collaborators import Gateway
from services.gateway.inference.resolution import choices_of, tasks_of
from services.gateway.inference.splits import ref_of
from services.gateway.inference.tasks import PREDICT, SALIENCY
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest, Missing, ModelServerProblem
from services.gateway.split_setting import Arm, Split
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef, available_versions
from services.serving_api.protos import get_model_status_pb2
from services.serving_api.rest_json.models import metadata_json, status_json
from services.serving_api.signatures import DEFAULT_SIGNATURE

routes = Routes("models", __name__, Tag.MODELS)

CARD_PATH = Path("assets.extra") / "README.md"
"""Place of the card in a version's folder, so that its figures belong to that version."""

_ACCURACY = re.compile(r"^\| accuracy \| ([01](?:\.\d+)?) \|$", re.MULTILINE)
"""The row of a card's table of measures."""

_State = get_model_status_pb2.ModelVersionStatus.State


class ModelVersion(TypedDict):
    """A version and its state."""

    version: str
    state: str


class CascadeModels(TypedDict):
    """The two models of a cascade."""

    small: str
    large: str
    threshold: float


class SplitArm(TypedDict):
    """An arm of a split, and its share of the requests, 0 to 1."""

    model: str
    version: NotRequired[str]
    label: NotRequired[str]
    share: float


class SplitModels(TypedDict):
    """The models of a split."""

    arms: Annotated[list[SplitArm], Field(description="each answers its share of the requests")]
    shadow: NotRequired[
        Annotated[SplitArm, Field(description="is asked a share again; no client gets its answers")]
    ]
    sticky_header: NotRequired[
        Annotated[str, Field(description="requests with one value of it go to one arm")]
    ]
    sticky_client: Annotated[bool, Field(description="whether a client's requests go to one arm")]


class ImageFormat(TypedDict):
    """The images that a model takes or, if it takes none, makes; null is any size."""

    height: int | None
    width: int | None
    channels: int


class ListedModel(TypedDict):
    """A model, its versions and what it can do."""

    name: str
    versions: list[ModelVersion]
    tasks: list[str]
    saliency_methods: NotRequired[
        Annotated[list[str], Field(description="what `method` of `:saliency` may be")]
    ]
    classes: NotRequired[
        Annotated[list[str | None], Field(description="of a classifier, the names of its classes")]
    ]
    images: NotRequired[ImageFormat | None]
    card: NotRequired[Annotated[bool, Field(description="whether `GET …/card` answers its card")]]
    accuracy: NotRequired[
        Annotated[float, Field(description="of a classifier whose card tells it, from 0 to 1")]
    ]
    cascade: NotRequired[CascadeModels]
    split: NotRequired[SplitModels]


class ModelList(TypedDict):
    """The answer of `GET /v1/models`."""

    models: list[ListedModel]


class VersionStatus(TypedDict):
    """TensorFlow Serving's status of a version."""

    version: str
    state: str
    status: dict[str, str]


class ModelStatus(TypedDict):
    """TensorFlow Serving's model status."""

    model_version_status: list[VersionStatus]
    split: NotRequired[SplitModels]


class ModelMetadata(TypedDict):
    """TensorFlow Serving's model metadata."""

    model_spec: dict[str, str]
    metadata: dict[str, Any]


@routes.call("GET", "/v1/models", answers={JSON: ModelList})
def list_models(gateway: Gateway, context: RequestContext) -> Response:
    """Answers every configured model with its versions, their states, its tasks and its classes.

    A cascade has no versions of its own; it tells its two models and its threshold. A split is
    described by its first arm, and tells how its requests are shared.
    """
    splits = {split.name: split for split in gateway.splits or ()}
    models = [_describe(gateway, context, ModelRef(name)) for name in gateway.model_names]
    for listed in models:
        if split := splits.pop(listed["name"], None):
            listed["split"] = _describe_split(split)
    models += map(_describe_cascade, gateway.cascades)
    for split in splits.values():
        described = _describe(gateway, context, ref_of(split.arms[0]))
        models.append({**described, "name": split.name, "split": _describe_split(split)})
    answer: ModelList = {"models": models}
    return json_response(answer)


@routes.call("GET", *v1_paths(""), answers={JSON: ModelStatus})
def status(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers TensorFlow Serving's model status; of a cascade, that of its small model.

    The status of a split is that of its first arm's model, and tells how requests are shared.
    """
    model = gateway.resolver.described_model(ModelRef(model.name) if context.split else model)
    response = gateway.model_server.status(model, context)
    context.model = model.name
    if context.split is None:
        return Response(status_json(response), mimetype=JSON)
    split = _describe_split(context.split)
    return json_response({**orjson.loads(status_json(response)), "split": split})


@routes.call("GET", *v1_paths("/metadata"), answers={JSON: ModelMetadata})
def metadata(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers TensorFlow Serving's model metadata; of a cascade, that of its small model."""
    model = gateway.resolver.described_model(model)
    response = gateway.model_server.metadata(model, context)
    context.model = model.name
    return Response(metadata_json(response), mimetype=JSON)


@routes.call("GET", *v1_paths("/card"), answers={"text/markdown": str})
def card(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers the card of a version, in Markdown: what it is for, its data, quality and limits.

    Raises:
        Missing: there is none.
    """
    # What a client sends must not name files.
    version = _find_version(gateway, context, model) if model.name in gateway.model_names else None
    path = _find_card(gateway, model.name, version) if version is not None else None
    if path is None:
        raise Missing(
            f"model {model.name!r} has no card, expected "
            f"{model.name}/{version or 'VERSION'}/{CARD_PATH} beside the file that "
            "LECTERN_MODEL_CONFIG_FILE names"
        )
    context.model = model.name
    return Response(path.read_bytes(), mimetype="text/markdown")


def _find_version(gateway: Gateway, context: RequestContext, model: ModelRef) -> int | None:
    """Returns the version that answers calls of a model; None if the model server has none."""
    try:
        return gateway.catalog.model(model, context).version
    except ModelServerProblem as problem:
        if problem.grpc_code != grpc.StatusCode.NOT_FOUND:
            raise
        return None


def _find_card(gateway: Gateway, model: str, version: int) -> Path | None:
    """Returns the card in the folder of a version, if the gateway can read that folder."""
    folder = gateway.settings.model_config_file.parent / model / str(version)
    path = folder / CARD_PATH
    return path if path.is_file() else None


def _describe_cascade(cascade: Cascade) -> ListedModel:
    models: CascadeModels = {
        "small": cascade.small,
        "large": cascade.large,
        "threshold": cascade.threshold,
    }
    return {"name": cascade.name, "versions": [], "tasks": [PREDICT.name], "cascade": models}


def _describe_split(split: Split) -> SplitModels:
    weights = sum(arm.weight for arm in split.arms)
    models: SplitModels = {
        "arms": [_describe_arm(arm, arm.weight / weights) for arm in split.arms],
        "sticky_client": split.sticky_client,
    }
    if split.shadow:
        models["shadow"] = _describe_arm(split.shadow, split.shadow.share)
    if split.sticky_header:
        models["sticky_header"] = split.sticky_header
    return models


def _describe_arm(arm: Arm, share: float) -> SplitArm:
    described: SplitArm = {"model": arm.model, "share": share}
    if arm.version is not None:
        described["version"] = str(arm.version)
    if arm.label is not None:
        described["label"] = arm.label
    return described


def _describe(gateway: Gateway, context: RequestContext, model: ModelRef) -> ListedModel:
    try:
        response = gateway.model_server.status(model, context)
    except ModelServerProblem as problem:
        if problem.grpc_code != grpc.StatusCode.NOT_FOUND:
            raise
        return _describe_version(gateway, model, [], None)
    versions: list[ModelVersion] = [
        {"version": str(version.version), "state": _State.Name(version.state)}
        for version in response.model_version_status
    ]
    info = gateway.catalog.model(model, context) if available_versions(response) else None
    return _describe_version(gateway, model, versions, info)


def _describe_version(
    gateway: Gateway, model: ModelRef, versions: list[ModelVersion], info: ModelInfo | None
) -> ListedModel:
    card = _find_card(gateway, model.name, info.version) if info else None
    described: ListedModel = {
        "name": model.name,
        "versions": versions,
        "tasks": tasks_of(info) if info else [],
        "saliency_methods": list(choices_of(info, SALIENCY)) if info else [],
        "classes": info.classes if info else [],
        "images": _images_of(info) if info else None,
        "card": card is not None,
    }
    # A card can be removed with its version at any time, or not be readable.
    with suppress(OSError):
        accuracy = _read_accuracy(card, card.stat().st_mtime_ns) if card else None
        if accuracy is not None:
            described["accuracy"] = accuracy
    return described


@lru_cache(maxsize=1024)
def _read_accuracy(card: Path, _changed_at: int) -> float | None:
    """Returns the accuracy that a card tells, if any; a changed file is read again."""
    match = _ACCURACY.search(card.read_text(encoding="utf-8", errors="replace"))
    return float(match[1]) if match else None


def _images_of(info: ModelInfo) -> ImageFormat | None:
    """Returns the images of the first signature that takes any, or else that makes any.

    The default signature comes first, since most calls run it.
    """
    names = sorted(info.signatures, key=lambda name: (name != DEFAULT_SIGNATURE, name))
    for signature in map(info.signatures.__getitem__, names):
        with suppress(InvalidRequest):
            return _format(find_image_input(signature)[1])
    made = (info.signatures[name].outputs.get("images") for name in names)
    specs = (image_spec(tensor) for tensor in made if tensor)
    return next((_format(spec) for spec in specs if spec), None)


def _format(spec: ImageSpec) -> ImageFormat:
    return {"height": spec.height, "width": spec.width, "channels": spec.channels}
