"""The calls of the Open Inference Protocol's model repository extension: a body in, JSON out.

Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/
extension_model_repository.md
"""

from __future__ import annotations

from typing import Any

import orjson

from services.model_server.models.model_control import ModelControl
from services.model_server.rest_api.options import RestOptions
from services.serving_api.protos import model_pb2
from services.serving_api.rest_json.errors import JsonError, kind_of
from services.serving_api.rest_json.parsing import parse_json


class RepositoryCalls:
    """Answers the calls by the model control."""

    def __init__(self, control: ModelControl, options: RestOptions) -> None:
        """Makes the calls.

        Args:
            control: loads and unloads models.
            options: how long a load or an unload is waited for, and how large a body may be.
        """
        self._control = control
        self._timeout_seconds = options.timeout_seconds
        self._max_json_values = options.max_json_values

    def index(self, _spec: model_pb2.ModelSpec, body: bytes) -> bytes:
        """Lists the models that can be loaded, and the states of their versions."""
        ready = self._member(body, "ready", False)
        return orjson.dumps([entry._asdict() for entry in self._control.index(ready_only=ready)])

    def load(self, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
        """Loads a model, and answers when it is available."""
        parameters = self._member(body, "parameters", {})
        self._control.load(spec.name, self._timeout_seconds, parameters)
        return b"{}"

    def unload(self, spec: model_pb2.ModelSpec, _body: bytes) -> bytes:
        """Unloads a model, and answers when no request runs on it any more."""
        self._control.unload(spec.name, self._timeout_seconds)
        return b"{}"

    def _member(self, body: bytes, name: str, default: Any) -> Any:
        """Returns a member of the JSON object that a body may hold, or its default.

        Raises:
            JsonError: the body is no object, or the member is of another type than its default.
        """
        document = parse_json(body, self._max_json_values) if body else {}
        if not isinstance(document, dict):
            raise JsonError(f"received {kind_of(document)}, expected an object with {name!r}")
        value = document.get(name)
        if value is None:
            return default
        if type(value) is not type(default):
            kinds = {bool: "a boolean", dict: "an object"}
            raise JsonError(f"{name!r} is {kind_of(value)}, expected {kinds[type(default)]}")
        return value
