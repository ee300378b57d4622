"""The images of a request as a signature takes them, whether they came as files or as numbers."""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.api.body import File, FilesBody, JsonBody
from services.gateway.codecs.image_decoder import find_image_input, inverted
from services.gateway.inference.pipeline import check_shapes
from services.gateway.request.errors import InvalidRequest
from services.serving_api.rest_json.predict import read_predict_document, to_arrays
from services.serving_api.signatures import Signature


class ImageParameters(BaseModel):
    """What a client may say of the images it sends."""

    model_config = ConfigDict(extra="forbid")

    invert: bool = Field(
        False, description="for dark drawings on a light ground: 255 minus every value"
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
    body: JsonBody | FilesBody,
    signature: Signature,
    invert: bool = False,
) -> ImageBatch:
    """Read the images of a request.

    Args:
        body: files; or `instances` or `inputs` as TensorFlow Serving's JSON writes them, where
            instances may also be files: `{"b64": "…"}`.
        signature: what is to take them.
        invert: whether dark becomes light.

    Raises:
        InvalidRequest: the signature takes no images, or these are none that it takes.
        ContentTooLarge: they are too large.
        JsonError: the document does not hold what the signature takes.
        ModelServerProblem: decoding used up the request's time.
    """
    name, spec = find_image_input(signature)
    files = body if isinstance(body, FilesBody) else _encoded_instances(body)
    if isinstance(files, FilesBody):
        images = files.decode(spec, invert)
        return ImageBatch(name, images, [file.name for file in files.files])
    document = read_predict_document(files.document)
    inputs = to_arrays(document, {name: signature.inputs[name]})
    check_shapes(inputs, signature)
    images = inverted(inputs[name]) if invert else inputs[name]
    return ImageBatch(name, images, [None] * len(images))


def _encoded_instances(body: JsonBody) -> JsonBody | FilesBody:
    """Return the instances as files if the first of them is one, else the body as it is."""
    match body.document:
        case {"instances": [{"b64": _}, *_] as instances}:
            return FilesBody([_encoded(instance) for instance in instances], {})
    return body


def _encoded(instance: Any) -> File:
    match instance:
        case {"b64": str(text)}:
            try:
                return File(None, base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                raise InvalidRequest(
                    f"received a 'b64' that starts with {text[:20]!r}, expected standard base64"
                ) from None
    raise InvalidRequest('expected every instance to be {"b64": "…"}, as the first one is')
