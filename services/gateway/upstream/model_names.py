"""Names of the models to serve, since TensorFlow Serving has no call that lists them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from services.gateway.settings import Settings, SetupError
from services.serving_api.protos import model_server_config_pb2
from services.serving_api.text_proto import ConfigError, read_text_proto

_SECONDS_BETWEEN_LOOKS = 1.0

log = structlog.get_logger()


class ModelConfigError(SetupError):
    """A models.config cannot be read; the message says why."""


class ModelNames:
    """The names in the settings, or else those in the model server's models.config.

    The file is read again when it changes, as the model server does. Without any names, models can
    be called but are not listed, and the gateway is never ready.

    Raises:
        ModelConfigError: The file exists, but is not a models.config.
    """

    def __init__(self, settings: Settings) -> None:
        self._file = None if settings.models else settings.model_config_file
        self._lock = threading.Lock()
        self._names = settings.models
        self._changed_at: int | None = None
        self._next_look = 0.0
        self._look()

    def __iter__(self) -> Iterator[str]:
        return iter(self.current())

    def __contains__(self, name: object) -> bool:
        return name in self.current()

    def __len__(self) -> int:
        return len(self.current())

    def current(self) -> tuple[str, ...]:
        """Returns the names; a file that has become unreadable is ignored."""
        with self._lock:
            try:
                self._look()
            except ModelConfigError as error:
                log.warning("ignored the changed models.config", reason=str(error))
            return self._names

    def _look(self) -> None:
        if self._file is None or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _SECONDS_BETWEEN_LOOKS
        changed_at = self._file.stat().st_mtime_ns if self._file.exists() else None
        if changed_at != self._changed_at:
            self._changed_at = changed_at
            self._names = _read_names(self._file) if changed_at is not None else ()


def _read_names(file: Path) -> tuple[str, ...]:
    try:
        config = read_text_proto(file, model_server_config_pb2.ModelServerConfig())
    except ConfigError as error:
        raise ModelConfigError(
            f"{error}; correct the file, or name the models in LECTERN_MODELS"
        ) from error
    return tuple(model.name for model in config.model_config_list.config)
