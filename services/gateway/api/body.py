"""What a client sent: TensorFlow Serving's JSON, or image files; and the parameters beside it."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from services.gateway.codecs.image_decoder import ImageDecoder, ImageSpec
from services.gateway.collaborators import gateway
from services.gateway.request.deadline import time_left
from services.gateway.request.errors import ContentTooLarge, InvalidRequest, UnsupportedMediaType
from services.serving_api.rest_json.parsing import parse_predict_json

IMAGE = "image/"
_URL_ENCODED = "application/x-www-form-urlencoded"
_UNTOLD = {"", "application/octet-stream", _URL_ENCODED}
"""What clients send that were not told a type (`curl -d` and `--data-binary` say the last one)."""

MAX_FORM_BYTES = 2**16
"""Of a url-encoded form, which holds parameters alone and takes 80 times its size to parse."""

_ENVELOPE = {"instances", "inputs", "signature_name"}

_Parameters = TypeVar("_Parameters", bound=BaseModel)


@dataclass(frozen=True)
class JsonBody:
    """A parsed JSON document; `instances` or `inputs` of numbers alone may be one array."""

    document: Any

    @property
    def parameters(self) -> dict[str, Any]:
        """The members beside TensorFlow Serving's own."""
        if not isinstance(self.document, dict):
            return {}
        return {name: value for name, value in self.document.items() if name not in _ENVELOPE}


@dataclass(frozen=True)
class File:
    """A file as it came.

    Attributes:
        name: the file's name, where the client gave one.
        content: the bytes of the file.
    """

    name: str | None
    content: bytes


@dataclass(frozen=True)
class FilesBody:
    """Files, mostly images, and the other fields of their form."""

    files: list[File]
    parameters: dict[str, Any]

    def decode(self, spec: ImageSpec, invert: bool = False) -> npt.NDArray[Any]:
        """Return the images as one batch, [N, H, W, C] or [N, H, W].

        Args:
            spec: what the model takes.
            invert: whether dark becomes light.

        Raises:
            InvalidRequest: one of them cannot be decoded, or they differ in size and the model
                takes any size.
            ContentTooLarge: one of them, or all together, have too many pixels.
            ModelServerProblem: decoding used up the request's time.
        """
        settings = gateway().settings
        max_pixels = settings.max_image_pixels
        decoder = ImageDecoder(spec, max_pixels, settings.max_request_pixels, invert)
        arrays: list[npt.NDArray[Any]] = []
        pixels = 0
        for file in self.files:
            try:
                arrays.append(decoder.decode(file.content, time_left()))
            except (InvalidRequest, ContentTooLarge) as error:
                raise type(error)(f"{file.name or 'the body'}: {error.detail}") from error
            pixels += arrays[-1].shape[0] * arrays[-1].shape[1]
            if pixels > max_pixels:
                raise ContentTooLarge(
                    f"received {len(self.files)} images, which have more than {max_pixels} pixels "
                    "as the model takes them: send fewer in one request"
                )
        if len({array.shape for array in arrays}) > 1:
            raise InvalidRequest(
                f"received images of the shapes {sorted({array.shape for array in arrays})}, and "
                "this model takes any: send images of one size, or one image a request"
            )
        return np.stack(arrays)


def read_body(optional: bool = False, file_type: str = IMAGE) -> JsonBody | FilesBody:
    """Read the body of the current request.

    Args:
        optional: whether there may be none, or a form of parameters without a file.
        file_type: what the media type of a raw file starts with.

    Raises:
        TooManyValuesError: it is JSON of more values than the settings allow.
        ContentTooLarge: it is a url-encoded form that is too large.
        InvalidRequest: it is empty, or holds no file.
        UnsupportedMediaType: it is neither JSON nor a file of this type nor a form.
        JsonError: it is not JSON, although its type says so.
    """
    mimetype = request.mimetype
    if mimetype == "multipart/form-data":
        return _read_form(optional)
    content = request.get_data()
    if not content and not optional:
        raise InvalidRequest(f"the body is empty, expected {_wanted(file_type)}")
    looks_like_json = content.lstrip()[:1] in {b"{", b"["}
    if mimetype.endswith(("/json", "+json")) or (mimetype in _UNTOLD and looks_like_json):
        return JsonBody(parse_predict_json(content, gateway().settings.max_json_values))
    if not content or (optional and mimetype == _URL_ENCODED):
        _check_form(content)
        return FilesBody([], request.form.to_dict())
    if mimetype.startswith(file_type) or mimetype in _UNTOLD:
        return FilesBody([File(None, content)], {})
    raise UnsupportedMediaType(
        f"received a body of type {mimetype!r}, expected {_wanted(file_type)}"
    )


def _check_form(content: bytes) -> None:
    if len(content) > MAX_FORM_BYTES:
        raise ContentTooLarge(
            f"received a url-encoded form of {len(content)} bytes, expected at most "
            f"{MAX_FORM_BYTES}: send files as multipart/form-data, arrays as JSON"
        )


def _wanted(file_type: str) -> str:
    a_file = "an image (image/png, image/jpeg, …)" if file_type == IMAGE else file_type
    return f"{a_file}, application/json, or multipart/form-data with files"


def _read_form(optional: bool) -> FilesBody:
    files = [
        File(file.filename or None, file.read()) for _, file in request.files.items(multi=True)
    ]
    if not files and not optional:
        raise InvalidRequest("the form holds no file, expected one or more")
    return FilesBody(files, request.form.to_dict())


class NoParameters(BaseModel):
    """What a client may ask of a call that takes no parameters."""

    model_config = ConfigDict(extra="forbid")


def read_parameters(
    model: type[_Parameters], body: JsonBody | FilesBody | None = None
) -> _Parameters:
    """Read the parameters of a task: from the query, else the JSON document, else the form.

    Args:
        model: which there are.
        body: what may hold some; None where it is all of another format.

    Raises:
        InvalidRequest: an unknown parameter, or a value that does not fit.
    """
    values = {**(body.parameters if body else {}), **request.args.to_dict()}
    # Before pydantic, which would describe every one of a million.
    if unknown := values.keys() - model.model_fields.keys():
        # A field of a form may have no name at all, which then is None.
        name = min(unknown, key=str)
        raise InvalidRequest(
            f"received the parameter {reprlib.repr(name)} = {reprlib.repr(values[name])}, "
            f"expected {sorted(model.model_fields) or 'none with this body'}"
        )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidRequest("; ".join(map(describe_error, error.errors()))) from None


def describe_error(error: ErrorDetails) -> str:
    """Say what is wrong with a value."""
    name = ".".join(map(str, error["loc"]))
    return f"parameter {name!r}: {error['msg']}, received {reprlib.repr(error['input'])}"
