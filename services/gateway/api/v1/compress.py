"""The compression task: images to codes that say which model can restore them."""

from __future__ import annotations

from flask import Response

from services.gateway.api.body import read_body
from services.gateway.api.calls import image_body
from services.gateway.api.image_inputs import ImageParameters, read_images
from services.gateway.api.responses import JSON, json_response, negotiate
from services.gateway.api.routing import Routes, Tag, v1_paths
from services.gateway.codecs.code_container import (
    MEDIA_TYPE,
    Codes,
    CodesDocument,
    codes_document,
    write_container,
)
from services.gateway.collaborators import Gateway
from services.gateway.inference.tasks import COMPRESS
from services.gateway.request.context import RequestContext
from services.gateway.upstream.model_server import ModelRef

routes = Routes("compress", __name__, Tag.TASKS, example_model="codec")


@routes.call(
    "POST",
    *v1_paths(":compress"),
    answers={MEDIA_TYPE: bytes, JSON: CodesDocument},
    parameters=ImageParameters,
    body=image_body(),
)
def compress(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers the codes of images, in a container or as JSON."""
    media_type = negotiate(MEDIA_TYPE, JSON)
    body = read_body(ImageParameters, gateway.settings.max_json_values)
    resolved = gateway.resolver.task(context, model, COMPRESS)
    batch = read_images(body, resolved, gateway.settings)
    outputs, version = gateway.pipeline.run(resolved, {batch.input_name: batch.images})
    codes = Codes(model.name, version, batch.images.shape[1:], outputs["code"])
    if media_type == JSON:
        return json_response(codes_document(codes))
    return Response(write_container(codes), mimetype=MEDIA_TYPE)
