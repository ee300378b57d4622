"""What goes back to the client: JSON or PNG, as it accepts."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Annotated

import orjson
from flask import Response, request
from PIL import Image
from pydantic import Field
from typing_extensions import TypedDict

from services.gateway.request.errors import NotAcceptable
from services.gateway.upstream.model_server import ModelRef

JSON = "application/json"
PNG = "image/png"

Number = float | None
"""What is not finite is null."""


class Model(TypedDict):
    """The model that answered."""

    name: str
    version: str


class EncodedFile(TypedDict):
    """A file as TensorFlow Serving's JSON writes bytes."""

    b64: Annotated[str, Field(description="standard base64")]


def negotiate(*offers: str) -> str:
    """Returns the media type that the client likes best; the first offer if it does not care.

    Raises:
        NotAcceptable: it accepts none of them.
    """
    if not request.accept_mimetypes:
        return offers[0]
    best = request.accept_mimetypes.best_match(offers)
    if best is None:
        raise NotAcceptable(
            f"received Accept: {request.accept_mimetypes}, expected one of {', '.join(offers)}"
        )
    return best


def json_response(document: Mapping[str, object]) -> Response:
    """Writes JSON; numpy arrays and numbers are welcome."""
    return Response(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), mimetype=JSON)


def png_response(image: Image.Image) -> Response:
    """Writes a PNG file."""
    return Response(_encode(image), mimetype=PNG)


def png_member(image: Image.Image) -> EncodedFile:
    """Writes a PNG file as TensorFlow Serving's JSON writes bytes."""
    return {"b64": base64.b64encode(_encode(image)).decode()}


def _encode(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def model_member(model: ModelRef, version: int) -> Model:
    """Describes the model that answered; the version is text, as in TensorFlow Serving's JSON."""
    return {"name": model.name, "version": str(version)}
