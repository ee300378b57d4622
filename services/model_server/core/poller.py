"""Watches the base paths of the models and tells the manager which versions to serve."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog

from services.model_server.core.config import ModelConfig
from services.model_server.core.manager import ModelManager
from services.model_server.core.repository import find_versions

_log = structlog.get_logger(__name__)


class Poller:
    """One thread a model, so that a slow or broken model holds up no other."""

    def __init__(
        self, manager: ModelManager, models: Sequence[ModelConfig], wait_seconds: float
    ) -> None:
        """Make a poller that does nothing yet.

        Args:
            manager: what to tell.
            models: what to watch.
            wait_seconds: the pause between two looks; 0 looks once, less than 0 never.
        """
        self._manager = manager
        self._wait_seconds = wait_seconds
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._watch, args=(model,), name=f"poller-{model.name}", daemon=True
            )
            for model in models
        ]

    def start(self) -> None:
        """Look for the first time, in the background, and go on looking."""
        if self._wait_seconds < 0:
            _log.warning("no model is ever loaded: file_system_poll_wait_seconds is below 0")
            return
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop looking; a load that has begun ends first."""
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _watch(self, model: ModelConfig) -> None:
        last_problem = None
        while not self._stopping.is_set():
            problem = self._look(model)
            if problem and problem != last_problem:
                _log.warning(problem, model=model.name, base_path=model.base_path)
            last_problem = problem
            if self._wait_seconds == 0:
                return
            self._stopping.wait(self._wait_seconds)

    def _look(self, model: ModelConfig) -> str | None:
        """Pass on what is there and return what is wrong with it, if anything."""
        try:
            versions = find_versions(model)
        except OSError as error:
            return f"the base path cannot be read, its versions stay as they are: {error}"
        self._manager.set_aspired_versions(model.name, versions)
        if not versions:
            return (
                "no version to serve in the base path: name the model's folder by a number, like 1"
            )
        return None
