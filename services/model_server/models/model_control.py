"""Loads and unloads configured models one by one: `--model_control_mode=explicit`.

Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/
extension_model_repository.md
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from services.model_server.config.model_config import ConfigError, ModelConfig
from services.model_server.errors import ServingError, invalid_argument, not_found
from services.model_server.models.model import State, VersionStatus
from services.model_server.models.server_core import ServerCore
from services.serving_api.protos import error_codes_pb2

READY = "READY"
_STATES = {
    State.START: "LOADING",
    State.LOADING: "LOADING",
    State.AVAILABLE: READY,
    State.UNLOADING: "UNLOADING",
    State.END: "UNAVAILABLE",
}


class IndexEntry(NamedTuple):
    """One version of a model, or a model without any; `reason` says why it is not ready."""

    name: str
    version: str
    state: str
    reason: str


class ModelControl:
    """The model repository extension of the Open Inference Protocol.

    Every method raises a ServingError with UNIMPLEMENTED where the extension is off, and with
    FAILED_PRECONDITION where the model config file cannot be read.
    """

    def __init__(self, core: ServerCore) -> None:
        self._core = core

    def index(self, *, ready_only: bool = False) -> list[IndexEntry]:
        """Lists the models that are configured or served, and their versions."""
        names = self._configured().keys() | self._core.manager.names()
        entries = [entry for name in sorted(names) for entry in self._entries(name)]
        return [entry for entry in entries if entry.state == READY or not ready_only]

    def load(
        self, name: str, timeout_seconds: float | None, parameters: Collection[str] = ()
    ) -> None:
        """Loads a model, or the new versions of one that is served, and waits for it.

        If new versions cannot be loaded, the versions that are loaded already stay. A model without
        any is not served afterwards.

        Raises:
            ServingError: NOT_FOUND, it is not configured; UNKNOWN, a version of it could not be
                loaded, or there is none; INVALID_ARGUMENT, Triton's parameters that configure it
                were sent; DEADLINE_EXCEEDED.
        """
        configured = self._configured()
        if parameters:
            raise invalid_argument(
                f"received the parameters {sorted(parameters)}, expected none: a model is loaded "
                "as --model_config_file configures it"
            )
        if name not in configured:
            raise not_found(
                f"failed to load {name!r}: it is not configured, the models are "
                f"{sorted(configured)}"
            )
        self._core.load_model(configured[name])
        try:
            self._core.manager.wait_until_available({name}, timeout_seconds)
        except ServingError as error:
            if error.code != error_codes_pb2.DEADLINE_EXCEEDED:
                self._core.unload_model(name)
                # Otherwise the next load might come before this, and find nothing new.
                self._core.manager.wait_until_unloaded(name, None)
            raise
        if failure := self._core.manager.what_failed(name):
            raise ServingError(
                error_codes_pb2.UNKNOWN,
                f"failed to load {name!r}, which stays as it was: {failure}",
            )

    def unload(self, name: str, timeout_seconds: float | None) -> None:
        """Unloads a model, and waits until the requests in flight on it have ended.

        Raises:
            ServingError: NOT_FOUND, it is neither configured nor served; DEADLINE_EXCEEDED.
        """
        manager = self._core.manager
        if name not in self._configured().keys() | manager.names():
            raise not_found(f"failed to unload {name!r}: there is no such model")
        if name in manager.names():
            self._core.unload_model(name)
            manager.wait_until_unloaded(name, timeout_seconds)

    def _configured(self) -> Mapping[str, ModelConfig]:
        if self._core.read_models is None:
            raise ServingError(
                error_codes_pb2.UNIMPLEMENTED,
                "the model repository extension is off: start the server with "
                "--model_control_mode=explicit",
            )
        try:
            return {model.name: model for model in self._core.read_models()}
        except ConfigError as error:
            raise ServingError(error_codes_pb2.FAILED_PRECONDITION, str(error)) from None

    def _entries(self, name: str) -> list[IndexEntry]:
        manager = self._core.manager
        statuses = manager.statuses_if_any(name)
        if statuses:
            return [_entry(name, status) for status in reversed(statuses)]
        problem = manager.problem(name) if name in manager.names() else None
        return [IndexEntry(name, "", _STATES[State.END], problem or "not loaded")]


def _entry(name: str, status: VersionStatus) -> IndexEntry:
    reason = status.error.message if status.error else ""
    if status.state == State.END and not reason:
        reason = "unloaded"
    return IndexEntry(name, str(status.version), _STATES[status.state], reason)
