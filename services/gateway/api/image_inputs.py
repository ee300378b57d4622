"""The images of a request as a signature takes them, sent as files or as numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.api.body import FilesBody, JsonBody
from services.gateway.codecs.image_decoder import (
    DecodingLimits,
    ImageFile,
    decode_images,
    find_image_input,
    inverted,
)
from services.gateway.inference.pipeline import check_shapes
from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.request.errors import InvalidRequest
from services.gateway.settings import Settings
from services.serving_api.rest_json.b64 import decode_b64
from services.serving_api.rest_json.predict import read_predict_document, to_arrays


class ImageParameters(BaseModel):
    """Parameters of the images in a request."""

    model_config = ConfigDict(extra="forbid")

    invert: bool = Field(
        False, description="for dark drawings on a light background: 255 minus every value"
    )


class ImageBatch(NamedTuple):
    """Images that a signature takes.

    Attributes:
        input_name: the signature's input for them.
        images: [N, H, W, C] or [N, H, W].
        files: the name of each file, None where the client gave none.
    """

    input_name: str
    images: npt.NDArray[Any]
    files: list[str | None]


def read_images(
    body: JsonBody[ImageParameters] | FilesBody[ImageParameters],
    resolved: ResolvedRequest,
    settings: Settings,
) -> ImageBatch:
    """Reads the images of a request.

    Args:
        body: files; or `instances` or `inputs` as TensorFlow Serving's JSON writes them, where
            instances may also be files: `{"b64": "…"}`.
        resolved: the request; its signature takes the images.
        settings: limit the pixels.

    Raises:
        InvalidRequest: the signature takes no images, or not these.
        ContentTooLarge: they are too large.
        DeadlineExceeded: decoding used up the request's time.
        JsonError: the document does not hold what the signature takes.
    """
    signature, invert = resolved.signature, body.parameters.invert
    document = None if isinstance(body, FilesBody) else body.document
    files = body.files if isinstance(body, FilesBody) else _encoded_files(document)
    if files is not None:
        limits = DecodingLimits(
            settings.max_image_pixels, settings.max_request_pixels, resolved.context.deadline
        )
        name, images = decode_images(files, signature, limits, invert=invert)
        return ImageBatch(name, images, [file.name for file in files])
    name, _ = find_image_input(signature)
    inputs = to_arrays(read_predict_document(document), {name: signature.inputs[name]})
    check_shapes(inputs, signature)
    images = inverted(inputs[name]) if invert else inputs[name]
    return ImageBatch(name, images, [None] * len(images))


def holds_encoded_files(document: Any) -> bool:
    """Returns whether the instances of a JSON document are files, by the first of them."""
    match document:
        case {"instances": [{"b64": _}, *_]}:
            return True
    return False


def _encoded_files(document: Any) -> list[ImageFile] | None:
    if not holds_encoded_files(document):
        return None
    return [_decode(instance) for instance in document["instances"]]


def _decode(instance: Any) -> ImageFile:
    match instance:
        case {"b64": str(text)}:
            try:
                return ImageFile(None, decode_b64(text))
            except ValueError as error:
                raise InvalidRequest(f"received a 'b64' that cannot be decoded: {error}") from None
    raise InvalidRequest('expected every instance to be {"b64": "…"}, as the first one is')
