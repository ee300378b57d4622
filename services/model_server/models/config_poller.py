"""Reads the model config file again and again, as `--model_config_file_poll_wait_seconds` says."""

from __future__ import annotations

import threading
from pathlib import Path

import structlog

from services.model_server.config.model_config import ConfigError, read_config_file
from services.model_server.errors import ServingError
from services.model_server.models.server_core import ServerCore

_log = structlog.get_logger(__name__)


class ConfigPoller:
    """Reloads the models when their config file changes; a bad file changes nothing."""

    def __init__(self, core: ServerCore, path: Path, wait_seconds: float) -> None:
        """Makes a poller of a config file that was read once already."""
        self._core = core
        self._path = path
        self._wait_seconds = wait_seconds
        self._models = read_config_file(path)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="config-poller", daemon=True)

    def start(self) -> None:
        """Looks in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Stops looking."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        last_problem = None
        while not self._stopping.wait(self._wait_seconds):
            problem = self._look()
            if problem and problem != last_problem:
                _log.error("the models stay as they are", error=problem, path=str(self._path))
            last_problem = problem

    def _look(self) -> str | None:
        """Reloads what changed, and returns why that failed; it is tried again at the next look."""
        try:
            models = read_config_file(self._path)
            if models != self._models:
                self._core.reload_config(models)
                self._models = models
        except (ConfigError, ServingError) as error:
            return str(error)
        return None
