"""The compression task: images to codes that say which model can restore them."""

from __future__ import annotations

from flask import Response

from services.gateway.answers import JSON, json_response, negotiate
from services.gateway.codes import MEDIA_TYPE, Codes, codes_document, write_container
from services.gateway.image_inputs import ImageParameters, read_images
from services.gateway.inference import find_model, run
from services.gateway.model_server import ModelRef
from services.gateway.request_body import read_body, read_parameters
from services.gateway.routes.model_paths import model_blueprint, model_route
from services.gateway.tasks import COMPRESS, task_signature

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
