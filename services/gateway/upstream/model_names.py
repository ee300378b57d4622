"""Names of the models to serve, since TensorFlow Serving has no call that lists them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from services.gateway.settings import Settings, SetupError
from services.gateway.watched_file import WatchedFile
from services.serving_api.protos import model_server_config_pb2
from services.serving_api.text_proto import ConfigError, read_text_proto


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
        self._names = settings.models
        self._file = (
            None if self._names else WatchedFile(settings.model_config_file, _read_names_if_any)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.current())

    def __contains__(self, name: object) -> bool:
        return name in self.current()

    def __len__(self) -> int:
        return len(self.current())

    def current(self) -> tuple[str, ...]:
        """Returns the names; a file that has become unreadable is ignored."""
        return self._file.current() if self._file else self._names


def _read_names_if_any(file: Path) -> tuple[str, ...]:
    return _read_names(file) if file.exists() else ()


def _read_names(file: Path) -> tuple[str, ...]:
    try:
        config = read_text_proto(file, model_server_config_pb2.ModelServerConfig())
    except ConfigError as error:
        raise ModelConfigError(
            f"{error}; correct the file, or name the models in LECTERN_MODELS"
        ) from error
    return tuple(model.name for model in config.model_config_list.config)
