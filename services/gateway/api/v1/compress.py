"""The compression task: images to codes that say which model can restore them."""

from __future__ import annotations

from flask import Response

from services.gateway.api.body import read_body, read_parameters
from services.gateway.api.image_inputs import ImageParameters, read_images
from services.gateway.api.model_paths import model_blueprint, model_route
from services.gateway.api.responses import JSON, json_response, negotiate
from services.gateway.codecs.code_container import (
    MEDIA_TYPE,
    Codes,
    codes_document,
    write_container,
)
from services.gateway.inference.pipeline import find_model, run
from services.gateway.inference.tasks import COMPRESS, task_signature
from services.gateway.upstream.model_server import ModelRef

blueprint = model_blueprint("compress")


@model_route(blueprint, ":compress", "POST")
def compress(model: ModelRef) -> Response:
    """Answer the codes of images, in a container or as JSON."""
    media_type = negotiate(MEDIA_TYPE, JSON)
    body = read_body()
    parameters = read_parameters(ImageParameters, body)
    name, signature = task_signature(find_model(model), COMPRESS)
    batch = read_images(body, signature, parameters.invert)
    outputs, version = run(model, name, {batch.input_name: batch.images})
    codes = Codes(model.name, version, batch.images.shape[1:], outputs["code"])
    if media_type == JSON:
        return json_response(codes_document(codes))
    return Response(write_container(codes), mimetype=MEDIA_TYPE)
