"""The decompression task: codes back to images, by the version of the model that made them."""

from __future__ import annotations

from typing import Any, NamedTuple

import grpc
import numpy.typing as npt
from flask import Response
from PIL import Image
from typing_extensions import TypedDict

from services.gateway.api.body import FORM, FilesBody, JsonBody, NoParameters, read_body
from services.gateway.api.calls import Body, Files
from services.gateway.api.responses import (
    JSON,
    PNG,
    EncodedFile,
    Model,
    json_response,
    model_member,
    negotiate,
    png_member,
    png_response,
)
from services.gateway.api.routing import Routes, Tag, v1_paths
from services.gateway.codecs.code_container import (
    MEDIA_TYPE,
    Codes,
    CodesDocument,
    pixel_count,
    read_codes_document,
    read_container,
)
from services.gateway.codecs.rendering import to_picture
from services.gateway.codecs.tiling import tile
from services.gateway.collaborators import Gateway
from services.gateway.inference.pipeline import check_shapes
from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.inference.tasks import DECOMPRESS
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import ContentTooLarge, InvalidRequest, ModelServerProblem
from services.gateway.upstream.model_server import ModelRef, available_versions
from services.serving_api.dtypes import data_type_name, data_type_of

routes = Routes("decompress", __name__, Tag.TASKS, example_model="codec")


class _Restored(NamedTuple):
    file: str | None
    version: int
    picture: Image.Image


class RestoredImage(TypedDict):
    """An image that was restored from its code."""

    file: str | None
    model: Model
    image: EncodedFile


class RestoredImages(TypedDict):
    """The answer of `:decompress`."""

    images: list[RestoredImage]


# What the codec's first version makes of the sample.
_SAMPLE_CODE = [
    *(117, 196, 103, 75, 57, 138, 197, 105, 102, 104, 137, 68, 120, 55, 184, 122),
    *(135, 131, 196, 132, 119, 197, 68, 132, 151, 185, 149, 103, 102, 75, 106, 154),
]
_SAMPLE: CodesDocument = {
    "model": {"name": "codec", "version": "1"},
    "image_shape": [28, 28, 1],
    "dtype": "uint8",
    "codes": [_SAMPLE_CODE],
}


@routes.call(
    "POST",
    *v1_paths(":decompress"),
    answers={PNG: bytes, JSON: RestoredImages},
    body=Body({MEDIA_TYPE: bytes, JSON: CodesDocument, FORM: Files}, {"codes": _SAMPLE}),
)
def decompress(gateway: Gateway, context: RequestContext, model: ModelRef) -> Response:
    """Answers the images of containers, or of JSON as `:compress` answers it.

    One image comes as it is, several as one picture with a black gap of 4 pixels between them.
    """
    media_type = negotiate(PNG, JSON)
    body = read_body(
        NoParameters,
        gateway.settings.max_json_values,
        is_pure=lambda _document: True,
        file_type=MEDIA_TYPE,
    )
    received = _read_codes(body)
    _check_pixels([codes for _, codes in received], gateway.settings.max_image_pixels)
    restored = [
        _Restored(file, codes.version, to_picture(image))
        for file, codes in received
        for image in _restore(gateway, context, model, codes)
    ]
    if media_type == PNG:
        return png_response(_one_picture([each.picture for each in restored]))
    images: list[RestoredImage] = [
        {
            "file": each.file,
            "model": model_member(model, each.version),
            "image": png_member(each.picture),
        }
        for each in restored
    ]
    answer: RestoredImages = {"images": images}
    return json_response(answer)


def _read_codes(
    body: JsonBody[NoParameters] | FilesBody[NoParameters],
) -> list[tuple[str | None, Codes]]:
    if isinstance(body, JsonBody):
        return [(None, read_codes_document(body.document))]
    received = []
    for file in body.files:
        try:
            received.append((file.name, read_container(file.content)))
        except InvalidRequest as error:
            raise InvalidRequest(f"{file.name or 'the body'}: {error.description}") from error
    return received


def _check_pixels(received: list[Codes], max_pixels: int) -> None:
    pixels = sum(map(pixel_count, received))
    if pixels > max_pixels:
        raise ContentTooLarge(
            f"received codes of {pixels} pixels in all, expected at most {max_pixels}: send fewer"
        )


def _restore(
    gateway: Gateway, context: RequestContext, model: ModelRef, codes: Codes
) -> npt.NDArray[Any]:
    resolved = _resolve_maker(gateway, context, model, codes)
    inputs = {"code": codes.codes}
    _check_dtype(codes, resolved)
    check_shapes(inputs, resolved.signature)
    made = resolved.signature.outputs["images"]
    if not made.accepts((len(codes.codes), *codes.image_shape)):
        # Before it runs: a forged shape could ask for more memory than there is.
        raise InvalidRequest(
            f"received codes of images of the shape {list(codes.image_shape)}, but model "
            f"{codes.model!r} version {codes.version} makes images {made}"
        )
    return gateway.pipeline.run(resolved, inputs).outputs["images"]


def _resolve_maker(
    gateway: Gateway, context: RequestContext, model: ModelRef, codes: Codes
) -> ResolvedRequest:
    """Resolves to the version that made the codes, if the path allows it and it is there."""
    if codes.model != model.name:
        raise InvalidRequest(
            f"received codes that model {codes.model!r} made, asked of model {model.name!r}: "
            f"post them to /v1/models/{codes.model}:decompress"
        )
    named_by_path = model != ModelRef(model.name)
    if named_by_path and gateway.resolver.model(context, model).version != codes.version:
        raise InvalidRequest(
            f"received codes that version {codes.version} made, asked of another: leave the "
            f"version and the label out, as in /v1/models/{model.name}:decompress"
        )
    try:
        return gateway.resolver.task(context, ModelRef(codes.model, codes.version), DECOMPRESS)
    except ModelServerProblem as problem:
        if problem.grpc_code != grpc.StatusCode.NOT_FOUND:
            raise
        raise _gone(gateway, context, codes) from problem


def _gone(gateway: Gateway, context: RequestContext, codes: Codes) -> ModelServerProblem:
    served = available_versions(gateway.model_server.status(ModelRef(codes.model), context))
    return ModelServerProblem(
        grpc.StatusCode.NOT_FOUND,
        f"version {codes.version} of model {codes.model!r}, which made these codes, is not served; "
        f"there are the versions {sorted(served)}: have the model server load it again (its "
        "model_version_policy), or compress the images anew",
    )


def _check_dtype(codes: Codes, resolved: ResolvedRequest) -> None:
    wanted = resolved.signature.inputs["code"].data_type
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
