"""The paths of TensorFlow Serving's REST API.

Source: tensorflow_serving/model_servers/http_rest_api_handler.cc and g3doc/api_rest.md.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from services.model_server.errors import invalid_argument
from services.serving_api.protos import model_pb2

_CHOICE = r"(?:/(?:versions/(?P<version>\d+)|labels/(?P<label>[^/:]+)))?"
_PATTERNS = {
    "POST": rf"/v1/models/(?P<name>[^/:]+){_CHOICE}:(?P<call>classify|regress|predict)",
    "GET": rf"/v1/models(?:/(?P<name>[^/:]+))?{_CHOICE}(?:/(?P<call>metadata))?",
}
_ROUTES = {
    method: re.compile(pattern, re.IGNORECASE | re.ASCII) for method, pattern in _PATTERNS.items()
}
REPOSITORY_PREFIX = "/v2/repository/"
_REPOSITORY = re.compile(
    rf"{REPOSITORY_PREFIX}(?:models/(?P<name>[^/]+)/(?P<change>load|unload)|index)", re.IGNORECASE
)
_MAX_VERSION = 2**63 - 1
_MAX_DIGITS = 100


class Route(NamedTuple):
    """The call and the model of a request.

    Attributes:
        call: predict, classify, regress, metadata, status or models; index, load or unload of the
            model repository extension.
        spec: the model.
    """

    call: str
    spec: model_pb2.ModelSpec


def find_route(method: str, path: str) -> Route:
    """Reads a method and a path that is still URL-encoded.

    Raises:
        ServingError: INVALID_ARGUMENT, the API has no such call.
    """
    if path.lower().startswith(REPOSITORY_PREFIX):
        return _find_repository_route(method, path)
    match = _ROUTES[method].fullmatch(path) if method in _ROUTES else None
    if not match:
        raise invalid_argument(f"Malformed request: {method} {path}")
    if not match["name"]:
        # TensorFlow Serving has no list of its models.
        if path.lower() == "/v1/models":
            return Route("models", model_pb2.ModelSpec())
        raise invalid_argument("Missing model name in request.")
    spec = model_pb2.ModelSpec(name=unquote(match["name"]))
    if match["label"]:
        spec.version_label = unquote(match["label"])
    if match["version"]:
        spec.version.value = _read_version(match["version"])
    return Route((match["call"] or "status").lower(), spec)


def _find_repository_route(method: str, path: str) -> Route:
    match = _REPOSITORY.fullmatch(path)
    if not match or method != "POST":
        raise invalid_argument(f"Malformed request: {method} {path}")
    return Route(
        (match["change"] or "index").lower(), model_pb2.ModelSpec(name=unquote(match["name"] or ""))
    )


def _read_version(digits: str) -> int:
    # Python refuses to convert thousands of digits.
    version = int(digits) if len(digits) <= _MAX_DIGITS else _MAX_VERSION + 1
    if version > _MAX_VERSION:
        raise invalid_argument(f"Failed to convert version: {digits} to numeric.")
    return version
