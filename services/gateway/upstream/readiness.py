"""Readiness: whether every configured model can answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence

import grpc

from services.gateway.request.context import RequestContext
from services.gateway.request.errors import DeadlineExceeded, ModelServerProblem
from services.gateway.upstream.model_server import ModelRef, ModelServer, available_versions

_SECONDS_TO_LIVE = 0.5
_TIMEOUT_SECONDS = 0.8
"""Less than one second, the default timeout of a Kubernetes probe."""


class Readiness:
    """The state of every configured model, cached for half a second so that probes are cheap.

    Args:
        model_server: client of the model server.
        model_names: names of the models that must have an available version.
    """

    def __init__(self, model_server: ModelServer, model_names: Collection[str]) -> None:
        self._model_server = model_server
        self._model_names = model_names
        self._lock = threading.Lock()
        self._expiry = 0.0
        self._obstacles: Mapping[str, Sequence[str]] | None = None

    def obstacles(self) -> Mapping[str, Sequence[str]]:
        """Returns the names of the models that cannot answer, by reason.

        While one thread refreshes the states, others get the cached ones.
        """
        with self._lock:
            now = time.monotonic()
            if self._obstacles is not None and now <= self._expiry:
                return self._obstacles
            self._expiry = now + _TIMEOUT_SECONDS
        obstacles = self._ask()
        with self._lock:
            self._obstacles = obstacles
            self._expiry = time.monotonic() + _SECONDS_TO_LIVE
        return obstacles

    def _ask(self) -> dict[str, list[str]]:
        context = RequestContext.lasting(_TIMEOUT_SECONDS)
        obstacles: dict[str, list[str]] = {}
        for name in self._model_names:
            reason = self._reason(name, context)
            if reason:
                obstacles.setdefault(reason, []).append(name)
        return obstacles

    def _reason(self, name: str, context: RequestContext) -> str | None:
        try:
            response = self._model_server.status(ModelRef(name), context)
        except ModelServerProblem as problem:
            not_found = problem.grpc_code == grpc.StatusCode.NOT_FOUND
            return "the model server does not know it" if not_found else problem.description
        except DeadlineExceeded:
            return "the model server did not answer in time"
        return None if available_versions(response) else "no version is available"
