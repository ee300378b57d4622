"""The body of a request, TensorFlow Serving's JSON or image files, and its parameters."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from services.gateway.api.forms import read_form
from services.gateway.codecs.image_decoder import ImageFile
from services.gateway.request.errors import ContentTooLarge, InvalidRequest, UnsupportedMediaType
from services.serving_api.rest_json.parsing import parse_predict_json

IMAGE = "image/"
FORM = "multipart/form-data"
URL_ENCODED = "application/x-www-form-urlencoded"
_UNKNOWN_TYPES = {"", "application/octet-stream", URL_ENCODED}
"""What clients send that know no better (`curl -d` and `--data-binary` say the last one)."""

_TYPES_OF_JSON = {*_UNKNOWN_TYPES, "text/plain"}
"""Besides its own; a browser's `fetch` says the last one of a string."""

_START_OF_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*[\[{]")
"""The bytes before the bracket are a byte order mark."""

MAX_FORM_BYTES = 2**16
"""Of a url-encoded form, which holds parameters alone and takes 80 times its size to parse."""

_ENVELOPE = {"instances", "inputs", "signature_name"}

_Parameters = TypeVar("_Parameters", bound=BaseModel)
_Parameters_co = TypeVar("_Parameters_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True)
class JsonBody(Generic[_Parameters_co]):
    """A JSON document and the parameters of its request.

    Attributes:
        document: the parsed document; `instances` or `inputs` of numbers alone may be one array.
        parameters: those in the query and beside the document's envelope.
    """

    document: Any
    parameters: _Parameters_co


@dataclass(frozen=True)
class FilesBody(Generic[_Parameters_co]):
    """Files, mostly images, and the parameters of their request.

    Attributes:
        files: the files, in the order of the form.
        parameters: those in the query and in the other fields of the form.
    """

    files: list[ImageFile]
    parameters: _Parameters_co


def read_body(
    parameters: type[_Parameters],
    max_json_values: int,
    *,
    optional: bool = False,
    is_pure: Callable[[Any], bool] = lambda _document: False,
    file_type: str = IMAGE,
) -> JsonBody[_Parameters] | FilesBody[_Parameters]:
    """Reads the body of the current request, and its parameters: from the query, else the body.

    Args:
        parameters: the parameters of the call; each has a default.
        max_json_values: the limit of `parse_json`.
        optional: whether there may be no body, or a form of parameters without a file.
        is_pure: whether a JSON document is all of another format, so that there are no parameters.
        file_type: what the media type of a raw file starts with.

    Raises:
        ContentTooLarge: the body is a url-encoded form that is too large.
        InvalidRequest: the body is empty, holds no file or is a form that is not text; or a
            parameter is unknown or wrong.
        TooManyValuesError: it is JSON of too many values.
        UnsupportedMediaType: it is neither JSON nor a file of this type nor a form.
        JsonError: it is not JSON, although its type says so.
    """
    mimetype = request.mimetype
    if mimetype == FORM:
        return _read_form(parameters, optional, file_type)
    content = request.get_data()
    if not content and not optional:
        raise InvalidRequest(f"the body is empty, expected {_wanted(file_type)}")
    is_json = mimetype in _TYPES_OF_JSON and _START_OF_JSON.match(content)
    if is_json or mimetype.endswith(("/json", "+json")):
        document = parse_predict_json(content, max_json_values)
        if is_pure(document):
            return JsonBody(document, _read_parameters(parameters, {}, ()))
        return JsonBody(document, _read_parameters(parameters, _beside_envelope(document)))
    if not content or (optional and mimetype == URL_ENCODED):
        _check_form(content)
        return FilesBody([], _read_parameters(parameters, request.form.to_dict()))
    if mimetype.startswith(file_type) or mimetype in _UNKNOWN_TYPES:
        return FilesBody([ImageFile(None, content)], _read_parameters(parameters, {}))
    raise UnsupportedMediaType(
        f"received a body of type {mimetype!r}, expected {_wanted(file_type)}"
    )


def _check_form(content: bytes) -> None:
    if len(content) > MAX_FORM_BYTES:
        raise ContentTooLarge(
            f"received a url-encoded form of {len(content)} bytes, expected at most "
            f"{MAX_FORM_BYTES}: send files as multipart/form-data, arrays as JSON"
        )
    try:
        # Werkzeug would take other bytes for an empty form.
        content.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(
            f"received a url-encoded form that is not UTF-8 text and starts with {content[:20]!r}, "
            "expected NAME=VALUE&NAME=VALUE; send files as multipart/form-data, or with their type"
        ) from None


def _wanted(file_type: str) -> str:
    a_file = "an image (image/png, image/jpeg, …)" if file_type == IMAGE else file_type
    return f"{a_file}, application/json, or multipart/form-data with files"


def _read_form(
    parameters: type[_Parameters], optional: bool, file_type: str
) -> FilesBody[_Parameters]:
    form = read_form(request, file_type)
    if not form.files and not optional:
        raise InvalidRequest(
            "the form holds no file, expected one or more: parts with a filename, or with the "
            f"Content-Type {file_type}"
        )
    return FilesBody(form.files, _read_parameters(parameters, form.fields))


class NoParameters(BaseModel):
    """The parameters of a call that takes none."""

    model_config = ConfigDict(extra="forbid")


def check_no_parameters() -> None:
    """Checks that the query of the current request is empty.

    Raises:
        InvalidRequest: there are parameters.
    """
    _read_parameters(NoParameters, {})


def _beside_envelope(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        return {}
    return {name: value for name, value in document.items() if name not in _ENVELOPE}


def _read_parameters(
    model: type[_Parameters],
    in_body: Mapping[str, Any],
    names: Collection[str] | None = None,
) -> _Parameters:
    """Reads parameters from the query, else the body.

    Args:
        model: the parameters of the call.
        in_body: those in the body.
        names: those that may be given; by default all.
    """
    known = model.model_fields.keys() if names is None else names
    values = {**in_body, **request.args.to_dict()} if request.query_string else in_body
    # Before pydantic, which would describe every one of a million.
    if unknown := values.keys() - known:
        # A field of a form may have no name at all, which then is None.
        name = min(unknown, key=str)
        raise InvalidRequest(
            f"received the parameter {reprlib.repr(name)} = {reprlib.repr(values[name])}, "
            f"expected {sorted(known) or 'none with this body'}"
        )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidRequest("; ".join(map(describe_error, error.errors()))) from None


def describe_error(error: ErrorDetails) -> str:
    """Describes what is wrong with a value."""
    name = ".".join(map(str, error["loc"]))
    return f"parameter {name!r}: {error['msg']}, received {reprlib.repr(error['input'])}"
