"""Watches the base paths of the models and tells the manager which versions to serve."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import structlog

from services.model_server.config.model_config import ModelConfig
from services.model_server.models.manager import ModelManager
from services.model_server.models.repository import find_versions

_log = structlog.get_logger(__name__)


class Poller:
    """One thread a model, so that a slow or broken model holds up no other."""

    def __init__(self, manager: ModelManager, wait_seconds: float) -> None:
        """Makes a poller that watches nothing yet.

        Args:
            manager: what to tell.
            wait_seconds: the pause between two looks; 0 looks once, less than 0 never.
        """
        self._manager = manager
        self._wait_seconds = wait_seconds
        self._watches: dict[str, _Watch] = {}

    def watch(self, models: Sequence[ModelConfig]) -> None:
        """Watches these models from now on, in the background; others are unloaded."""
        if self._wait_seconds < 0:
            problem = "no model is ever loaded: file_system_poll_wait_seconds is below 0"
            _log.warning(problem)
            for model in models:
                self._manager.set_problem(model.name, problem)
            return
        wanted = {model.name: model for model in models}
        for name, watch in self._watches.items():
            if name not in wanted:
                watch.set_model(None)
        for name, model in wanted.items():
            if name not in self._watches:
                self._watches[name] = _Watch(self._manager, name, self._wait_seconds)
            self._watches[name].set_model(model)

    def stop(self) -> None:
        """Stops looking; a load that has begun ends first."""
        for watch in self._watches.values():
            watch.stop()
        for watch in self._watches.values():
            watch.join()


class _Watch(threading.Thread):
    """Looks at one model's base path; with no model it unloads what there was."""

    def __init__(self, manager: ModelManager, name: str, wait_seconds: float) -> None:
        super().__init__(name=f"poller-{name}", daemon=True)
        self._manager = manager
        self._name = name
        self._wait_seconds = wait_seconds
        self._model: ModelConfig | None = None
        self._wake = threading.Event()
        self._stopping = False

    def set_model(self, model: ModelConfig | None) -> None:
        self._model = model
        self._wake.set()
        if not self.is_alive():
            self.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()

    def run(self) -> None:
        last_problem = None
        while not self._stopping:
            self._wake.clear()
            model = self._model
            problem, retry_at = self._look(model)
            # Without a model there is none to speak of: it may have come back by now.
            if model is not None:
                self._manager.set_problem(self._name, problem)
                if problem and problem != last_problem:
                    _log.warning(problem, model=self._name, base_path=model.base_path)
            last_problem = problem
            if not self._stopping:
                self._wake.wait(self._pause(retry_at))

    def _look(self, model: ModelConfig | None) -> tuple[str | None, float | None]:
        """Passes on what is there; return what is wrong with it, and when to retry a load."""
        if model is None:
            return None, self._manager.set_aspired_versions(self._name, {})
        try:
            versions = find_versions(model)
        except OSError as error:
            problem = f"the base path cannot be read, its versions stay as they are: {error}"
            return problem, None
        retry_at = self._manager.set_aspired_versions(model.name, versions)
        if versions:
            return None, retry_at
        return (
            "no version to serve in the base path: name the model's folder by a number, like 1",
            retry_at,
        )

    def _pause(self, retry_at: float | None) -> float | None:
        """Returns the seconds until the next look, None for ever."""
        pause = self._wait_seconds or None
        if retry_at is None:
            return pause
        until_retry = max(retry_at - time.monotonic(), 0)
        return until_retry if pause is None else min(pause, until_retry)
