"""Every call by its Flask endpoint: what it is for, what it takes, what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from services.gateway.api.image_inputs import ImageParameters
from services.gateway.api.openapi import answers
from services.gateway.api.openapi.bodies import (
    code_content,
    examples_content,
    field_content,
    image_content,
    inference_content,
    predict_content,
)
from services.gateway.api.responses import JSON, PNG
from services.gateway.api.v1.activations import ActivationsParameters
from services.gateway.api.v1.generate import GenerateParameters
from services.gateway.api.v1.predict import PredictParameters
from services.gateway.api.v1.saliency import SaliencyParameters
from services.gateway.api.v1.visualize import VisualizeParameters
from services.gateway.codecs.code_container import MEDIA_TYPE

TASKS = "tasks"
MODELS = "models"
PROTOCOL = "Open Inference Protocol"
OPERATIONS = "operations"
PAGES = "pages"

Answer = type[BaseModel] | tuple[type[BaseModel], ...] | None


@dataclass(frozen=True)
class Call:
    """What the routes do not tell of a call.

    Attributes:
        tag: the group that it is shown in.
        answers: by media type the model of the JSON, or the models of which it is one; None for
            what is no JSON.
        parameters: what the query may hold.
        content: what the body may be, by media type.
        needs_body: whether there must be one.
        model: the example of a model in the path.
    """

    tag: str
    answers: Mapping[str, Answer]
    parameters: type[BaseModel] | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    needs_body: bool = True
    model: str = "cnn"


_EXAMPLES = Call(TASKS, {JSON: answers.Results}, content=examples_content(), model="half_plus_two")
_SALIENCY = Call(
    TASKS,
    {PNG: None, JSON: answers.Explanations},
    SaliencyParameters,
    image_content(SaliencyParameters, method="gradient", class_index=-1),
)
_PROBE = Call(OPERATIONS, {JSON: answers.Alive})
_PAGE = Call(PAGES, {"text/html": None})

CALLS: Mapping[str, Call] = {
    "predict.predict": Call(
        TASKS,
        {JSON: (answers.ImagePredictions, answers.Rows, answers.Columns)},
        PredictParameters,
        predict_content(PredictParameters),
    ),
    "saliency.saliency": _SALIENCY,
    "activations.activations": Call(
        TASKS,
        {PNG: None, JSON: answers.Activations},
        ActivationsParameters,
        image_content(ActivationsParameters, layer="conv1"),
    ),
    "visualize.visualize": Call(
        TASKS,
        {PNG: None, JSON: answers.Visualizations},
        VisualizeParameters,
        field_content(
            VisualizeParameters,
            {"channels": {"layer": "conv1", "channels": [0, 1, 2, 3], "seed": 0}},
        ),
        needs_body=False,
    ),
    "generate.generate": Call(
        TASKS,
        {PNG: None, JSON: answers.Samples},
        GenerateParameters,
        field_content(
            GenerateParameters,
            {
                "samples": {"count": 4, "seed": 7, "temperature": 0.8},
                "walk": {"seed": 1, "to_seed": 2, "steps": 8},
                "latent": {"latent": [[0.0] * 20]},
            },
            images=True,
        ),
        needs_body=False,
        model="vae",
    ),
    "compress.compress": Call(
        TASKS,
        {MEDIA_TYPE: None, JSON: answers.CodesDocument},
        ImageParameters,
        image_content(ImageParameters),
        model="codec",
    ),
    "decompress.decompress": Call(
        TASKS,
        {PNG: None, JSON: answers.RestoredImages},
        content=code_content({"$ref": "#/components/schemas/CodesDocument"}),
        model="codec",
    ),
    "examples.classify": _EXAMPLES,
    "examples.regress": _EXAMPLES,
    "models.list_models": Call(MODELS, {JSON: answers.ModelList}),
    "models.status": Call(MODELS, {JSON: answers.ModelStatus}),
    "models.metadata": Call(MODELS, {JSON: answers.ModelMetadata}),
    "models.card": Call(MODELS, {"text/markdown": None}),
    "v2.server_metadata": Call(PROTOCOL, {JSON: answers.ServerMetadata}),
    "v2.live": Call(PROTOCOL, {JSON: answers.ServerState}),
    "v2.ready": Call(PROTOCOL, {JSON: answers.ServerState}),
    "v2.model_ready": Call(PROTOCOL, {JSON: answers.ModelState}),
    "v2.model_metadata": Call(PROTOCOL, {JSON: answers.TensorMetadata}),
    "v2.infer": Call(
        PROTOCOL,
        {JSON: answers.Inference, "application/octet-stream": None},
        content=inference_content(),
    ),
    "probes.live": _PROBE,
    "probes.ready": Call(OPERATIONS, {JSON: answers.Ready}),
    "probes.metrics": Call(OPERATIONS, {"text/plain": None}),
    "studio.page": _PAGE,
    "docs.page": _PAGE,
    "docs.document": Call(PAGES, {JSON: None}),
}
