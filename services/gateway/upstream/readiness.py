"""Whether the models that the gateway is to serve can answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

import grpc

from services.gateway.request.errors import ModelServerProblem
from services.gateway.upstream.model_server import ModelRef, ModelServer
from services.serving_api.protos import get_model_status_pb2

_AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE
_SECONDS_TO_LIVE = 0.5
_TIMEOUT_SECONDS = 0.8
"""Less than the second that a Kubernetes probe waits by default."""


class Readiness:
    """The state of every model, remembered for half a second so that probes cost nothing.

    Args:
        model_server: whom to ask.
        model_names: the models that must have an available version.
    """

    def __init__(self, model_server: ModelServer, model_names: Sequence[str]) -> None:
        self._model_server = model_server
        self._model_names = model_names
        self._lock = threading.Lock()
        self._expiry = 0.0
        self._obstacles: Mapping[str, Sequence[str]] = {}

    def obstacles(self) -> Mapping[str, Sequence[str]]:
        """Return why models cannot answer: the names of the models by reason."""
        with self._lock:
            if time.monotonic() > self._expiry:
                self._obstacles = self._ask()
                self._expiry = time.monotonic() + _SECONDS_TO_LIVE
            return self._obstacles

    def _ask(self) -> dict[str, list[str]]:
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        obstacles: dict[str, list[str]] = {}
        for name in self._model_names:
            reason = self._reason(name, deadline - time.monotonic())
            if reason:
                obstacles.setdefault(reason, []).append(name)
        return obstacles

    def _reason(self, name: str, timeout: float) -> str | None:
        try:
            response = self._model_server.status(ModelRef(name), max(timeout, 0.0))
        except ModelServerProblem as problem:
            not_found = problem.code == grpc.StatusCode.NOT_FOUND
            return "the model server does not know it" if not_found else problem.detail
        states = [version.state for version in response.model_version_status]
        return None if _AVAILABLE in states else "no version is available"
