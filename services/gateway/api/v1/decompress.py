"""The decompression task: codes back to images, by the version of the model that made them."""

from __future__ import annotations

from typing import Any, NamedTuple

import grpc
import numpy.typing as npt
from flask import Response
from PIL import Image

from services.gateway.api.body import (
    FilesBody,
    JsonBody,
    NoParameters,
    read_body,
    read_parameters,
)
from services.gateway.api.model_paths import model_blueprint, model_route
from services.gateway.api.responses import (
    JSON,
    PNG,
    json_response,
    model_member,
    negotiate,
    png_member,
    png_response,
)
from services.gateway.codecs.code_container import (
    MEDIA_TYPE,
    Codes,
    pixel_count,
    read_codes_document,
    read_container,
)
from services.gateway.codecs.rendering import to_picture
from services.gateway.codecs.tiling import tile
from services.gateway.collaborators import gateway
from services.gateway.inference.pipeline import check_shapes, find_model, run
from services.gateway.inference.tasks import DECOMPRESS, task_signature
from services.gateway.request.deadline import time_left
from services.gateway.request.errors import ContentTooLarge, InvalidRequest, ModelServerProblem
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.dtypes import data_type_name, data_type_of
from services.serving_api.protos import get_model_status_pb2
from services.serving_api.signatures import Signature

blueprint = model_blueprint("decompress")

_AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE


class _Restored(NamedTuple):
    file: str | None
    version: int
    picture: Image.Image


@model_route(blueprint, ":decompress", "POST")
def decompress(model: ModelRef) -> Response:
    """Answer the images of containers, or of JSON as `:compress` answers it.

    One image comes as it is, several as one picture with a black gap of 4 pixels between them.
    """
    media_type = negotiate(PNG, JSON)
    body = read_body(file_type=MEDIA_TYPE)
    received = _read_codes(body)
    _check_pixels([codes for _, codes in received])
    restored = [
        _Restored(file, codes.version, to_picture(image))
        for file, codes in received
        for image in _restore(model, codes)
    ]
    if media_type == PNG:
        return png_response(_one_picture([each.picture for each in restored]))
    images = [
        {
            "file": each.file,
            "model": model_member(model, each.version),
            "image": png_member(each.picture),
        }
        for each in restored
    ]
    return json_response({"images": images})


def _read_codes(body: JsonBody | FilesBody) -> list[tuple[str | None, Codes]]:
    if isinstance(body, JsonBody):
        read_parameters(NoParameters)
        return [(None, read_codes_document(body.document))]
    read_parameters(NoParameters, body)
    received = []
    for file in body.files:
        try:
            received.append((file.name, read_container(file.content)))
        except InvalidRequest as error:
            raise InvalidRequest(f"{file.name or 'the body'}: {error.detail}") from error
    return received


def _check_pixels(received: list[Codes]) -> None:
    pixels, most = sum(map(pixel_count, received)), gateway().settings.max_image_pixels
    if pixels > most:
        raise ContentTooLarge(
            f"received codes of {pixels} pixels in all, expected at most {most}: send fewer"
        )


def _restore(model: ModelRef, codes: Codes) -> npt.NDArray[Any]:
    maker = _find_maker(model, codes)
    name, signature = task_signature(maker, DECOMPRESS)
    inputs = {"code": codes.codes}
    _check_dtype(codes, signature)
    check_shapes(inputs, signature)
    made = signature.outputs["images"]
    if not made.accepts((len(codes.codes), *codes.image_shape)):
        # Before it runs: a forged shape could ask for more memory than there is.
        raise InvalidRequest(
            f"received codes of images of the shape {list(codes.image_shape)}, but model "
            f"{codes.model!r} version {codes.version} makes images {made}"
        )
    return run(ModelRef(codes.model, codes.version), name, inputs).outputs["images"]


def _find_maker(model: ModelRef, codes: Codes) -> ModelInfo:
    """Return the version that made the codes, if it is there and the one that the path names."""
    if codes.model != model.name:
        raise InvalidRequest(
            f"received codes that model {codes.model!r} made, asked of model {model.name!r}: "
            f"post them to /v1/models/{codes.model}:decompress"
        )
    if model != ModelRef(model.name) and find_model(model).version != codes.version:
        raise InvalidRequest(
            f"received codes that version {codes.version} made, asked of another: leave the "
            f"version and the label out, as in /v1/models/{model.name}:decompress"
        )
    try:
        return find_model(ModelRef(codes.model, codes.version))
    except ModelServerProblem as problem:
        if problem.code != grpc.StatusCode.NOT_FOUND:
            raise
        raise _gone(codes) from problem


def _gone(codes: Codes) -> ModelServerProblem:
    status = gateway().model_server.status(ModelRef(codes.model), time_left())
    served = [each.version for each in status.model_version_status if each.state == _AVAILABLE]
    return ModelServerProblem(
        grpc.StatusCode.NOT_FOUND,
        f"version {codes.version} of model {codes.model!r}, which made these codes, is not served; "
        f"there are the versions {sorted(served)}: have the model server load it again (its "
        "model_version_policy), or compress the images anew",
    )


def _check_dtype(codes: Codes, signature: Signature) -> None:
    wanted = signature.inputs["code"].data_type
    if data_type_of(codes.codes.dtype) != wanted:
        raise InvalidRequest(
            f"received codes of {codes.codes.dtype}, but version {codes.version} of model "
            f"{codes.model!r} takes {data_type_name(wanted)}"
        )


def _one_picture(pictures: list[Image.Image]) -> Image.Image:
    sizes = {picture.size for picture in pictures}
    if len(sizes) > 1:
        raise InvalidRequest(
            f"received codes of images of the sizes {sorted(sizes)}, which make no one picture: "
            f"ask for {JSON}"
        )
    return tile(pictures)
