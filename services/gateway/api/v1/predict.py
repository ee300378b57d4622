"""The predict task: TensorFlow Serving's JSON for any model, or image files for a classifier."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, cast

import grpc
import numpy as np
import numpy.typing as npt
from flask import Response
from pydantic import Field
from typing_extensions import TypedDict

from services.gateway.api.body import FilesBody, JsonBody, check_no_parameters, read_body
from services.gateway.api.calls import IMAGE_CONTENT, SAMPLE_IMAGE, Body, Images
from services.gateway.api.image_inputs import ImageParameters, holds_encoded_files, read_images
from services.gateway.api.responses import JSON, Model, Number, json_response, model_member
from services.gateway.api.routing import Routes, Tag, v1_paths
from services.gateway.codecs.image_decoder import find_image_input
from services.gateway.collaborators import Gateway
from services.gateway.inference.cascade import MODEL_NAME, MODEL_VERSION, run_cascade
from services.gateway.inference.pipeline import check_shapes
from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.inference.tasks import PREDICT
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import ModelServerProblem
from services.gateway.upstream.catalog import PROBABILITIES, ModelInfo, find_scores
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.arrays import Arrays
from services.serving_api.protos import types_pb2
from services.serving_api.rest_json.predict import (
    Form,
    format_predictions,
    read_predict_document,
    to_arrays,
)
from services.serving_api.signatures import DEFAULT_SIGNATURE, Signature

routes = Routes("predict", __name__, Tag.TASKS)


class PredictParameters(ImageParameters):
    """Parameters of a prediction from image files."""

    top: int = Field(5, ge=1, description="how many of the most probable classes to answer")


class Instances(Images, total=False):
    """TensorFlow Serving's JSON, row by row or column by column; images too."""

    signature_name: Annotated[str, Field(description="serving_default, if it is not given")]


class TopClass(TypedDict):
    """A class and its probability."""

    label: str | None
    class_index: int
    probability: Annotated[Number, Field(description="null if the scores do not sum to 1")]
    score: NotRequired[
        Annotated[
            Number, Field(description="what a model without the output `probabilities` answers")
        ]
    ]


class ImagePrediction(TopClass):
    """The most probable class of one image, and under `top` the first few."""

    file: Annotated[str | None, Field(description="the file's name in a form")]
    model: NotRequired[
        Annotated[Model, Field(description="of a cascade, the one that answered for this image")]
    ]
    top: list[TopClass]


class ImagePredictions(TypedDict):
    """The answer to image files."""

    model: NotRequired[Model]
    cascade: NotRequired[str]
    predictions: list[ImagePrediction]


class Rows(TypedDict):
    """TensorFlow Serving's answer to `instances`."""

    predictions: list[Any]


class Columns(TypedDict):
    """TensorFlow Serving's answer to `inputs`."""

    outputs: Any


_EXAMPLES = {
    "Images, answered like files": {"instances": [SAMPLE_IMAGE], "top": 2},
    "Row by row: a file, decoded by the model itself": {
        "signature_name": "predict_bytes",
        "instances": [SAMPLE_IMAGE],
    },
    "Column by column: the names of two classes": {
        "signature_name": "class_labels",
        "inputs": {"class_index": [0, 1]},
    },
}


@routes.call(
    "POST",
    *v1_paths(":predict"),
    answers={JSON: ImagePredictions | Rows | Columns},
    parameters=PredictParameters,
    body=Body({**IMAGE_CONTENT, JSON: Instances}, _EXAMPLES),
)
def predict(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers a prediction in the form of the request.

    Instances that are files are images, unless the model takes strings: then they are
    TensorFlow Serving's JSON, as all other JSON is.
    """
    body = read_body(
        PredictParameters,
        gateway.settings.max_json_values,
        is_pure=lambda document: not _holds_images(document),
    )
    if isinstance(body, FilesBody) or _holds_images(body.document):
        resolved = gateway.resolver.task(context, model, PREDICT)
        if isinstance(body, FilesBody) or not _takes_strings(resolved.signature):
            return _predict_images(gateway, resolved, body)
    check_no_parameters()
    resolved, inputs, form = _read_inputs(gateway, context, model, body.document)
    # Its values take ten times the memory of the arrays, and the model may take its time.
    del body
    return _predict_arrays(gateway, resolved, inputs, form)


def _holds_images(document: Any) -> bool:
    return holds_encoded_files(document) and "signature_name" not in document


def _takes_strings(signature: Signature) -> bool:
    return any(spec.data_type == types_pb2.DT_STRING for spec in signature.inputs.values())


def _read_inputs(
    gateway: Gateway, context: RequestContext, model: ModelRef, document: Any
) -> tuple[ResolvedRequest, Arrays, Form]:
    received = read_predict_document(document)
    resolved = gateway.resolver.signature(
        context, model, received.signature_name or DEFAULT_SIGNATURE, cascade_allowed=True
    )
    return resolved, to_arrays(received, resolved.signature.inputs), received.form


def _predict_arrays(
    gateway: Gateway, resolved: ResolvedRequest, inputs: Arrays, form: Form
) -> Response:
    if resolved.cascade:
        images = inputs[find_image_input(resolved.signature)[0]]
        outputs: Arrays = run_cascade(gateway.pipeline, resolved, resolved.cascade, images)
    else:
        outputs = _run_as_it_is(gateway, resolved, inputs)
    return Response(format_predictions(outputs, form), mimetype=JSON)


def _run_as_it_is(gateway: Gateway, resolved: ResolvedRequest, inputs: Arrays) -> Arrays:
    """Runs a signature on flat inputs of any shape: as in TensorFlow Serving, the graph decides."""
    try:
        return gateway.pipeline.run(resolved, inputs).outputs
    except ModelServerProblem as problem:
        if problem.grpc_code == grpc.StatusCode.INVALID_ARGUMENT:
            # Says in plain words what a graph says in its own.
            check_shapes(inputs, resolved.signature)
        raise


def _predict_images(
    gateway: Gateway,
    resolved: ResolvedRequest,
    body: JsonBody[PredictParameters] | FilesBody[PredictParameters],
) -> Response:
    batch = read_images(body, resolved, gateway.settings)
    answer: ImagePredictions = {"predictions": []}
    if resolved.cascade:
        answer["cascade"] = resolved.cascade.setting.name
        outputs: Arrays = run_cascade(gateway.pipeline, resolved, resolved.cascade, batch.images)
    else:
        outputs, version = gateway.pipeline.run(resolved, {batch.input_name: batch.images})
        answer["model"] = model_member(resolved.model, version)
    scores_name = find_scores(resolved.signature)
    if scores_name is None or outputs[scores_name].ndim != 2:
        return Response(format_predictions(outputs, "instances"), mimetype=JSON)
    for row, file in enumerate(batch.files):
        classes = _top_classes(outputs, scores_name, row, resolved.info, body.parameters.top)
        prediction = cast(ImagePrediction, {"file": file, **classes[0], "top": classes})
        if resolved.cascade:
            prediction["model"] = _answerer(outputs, row)
        answer["predictions"].append(prediction)
    return json_response(answer)


def _answerer(outputs: Arrays, row: int) -> Model:
    """Returns which model of a cascade answered for an image."""
    answerer = ModelRef(outputs[MODEL_NAME][row].decode())
    return model_member(answerer, outputs[MODEL_VERSION][row])


def _top_classes(
    outputs: Arrays, scores_name: str, row: int, info: ModelInfo, top: int
) -> list[TopClass]:
    """Describes the classes of one image with the highest scores, the highest first."""
    scores = outputs[scores_name][row]  # [K]
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    named = outputs.get("class_index")
    if named is not None and named.shape == (len(outputs[scores_name]),):
        # The class that the model puts first, which may share its rounded probability.
        order.sort(key=int(named[row]).__ne__)
    classes = [_describe_class(scores, index, scores_name, info) for index in order[:top]]
    # A model without the signature that names every class still names its first one.
    if "label" in outputs and outputs["label"].dtype.kind == "O" and not info.labels:
        classes[0]["label"] = outputs["label"][row].decode(errors="replace")
    return classes


def _describe_class(
    scores: npt.NDArray[np.floating], index: int, scores_name: str, info: ModelInfo
) -> TopClass:
    described: TopClass = {
        "label": info.label(index),
        "class_index": index,
        "probability": scores[index],
    }
    if scores_name != PROBABILITIES:
        described["score"] = scores[index]
        if not _are_probabilities(scores):
            described["probability"] = None
    return described


def _are_probabilities(scores: npt.NDArray[np.floating]) -> bool:
    return bool(scores.min() >= 0 and abs(scores.sum(dtype=np.float64) - 1) < 1e-3)
