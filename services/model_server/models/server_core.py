"""The models of a server as a whole: loaded, watched and configured anew while it runs.

Source: tensorflow_serving/model_servers/server_core.cc.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence, Set

import structlog

from services.model_server.config.model_config import ModelConfig
from services.model_server.models.manager import ModelManager
from services.model_server.models.poller import Poller

_log = structlog.get_logger(__name__)


class ServerCore:
    """A manager, the poller that feeds it, and the one way to change what both serve."""

    def __init__(
        self,
        manager: ModelManager,
        models: Sequence[ModelConfig],
        *,
        poll_wait_seconds: float,
        allow_unavailable_labels: bool = False,
        read_models: Callable[[], Sequence[ModelConfig]] | None = None,
    ) -> None:
        """Makes a core that has loaded nothing yet.

        Args:
            manager: made of the same models.
            models: what to serve at first.
            poll_wait_seconds: the pause between two looks for versions (see `Poller`).
            allow_unavailable_labels: let new labels name versions that are not available yet.
            read_models: reads the models that clients may load one by one; None where they may not.
        """
        self.manager = manager
        self.read_models = read_models
        self._models = models
        self._poller = Poller(manager, poll_wait_seconds)
        self._allow_unavailable_labels = allow_unavailable_labels
        self._reloading = threading.Lock()

    def start(self) -> None:
        """Loads the models in the background, and goes on looking for new versions."""
        if not self._allow_unavailable_labels and any(m.version_labels for m in self._models):
            _log.warning(
                "the labels are taken before their versions are loaded: TensorFlow Serving starts "
                "so only with --allow_version_labels_for_unavailable_models=true"
            )
        self._poller.watch(self._models)

    def reload_config(self, models: Sequence[ModelConfig]) -> Set[str]:
        """Replaces the set of models; new ones load, removed ones unload, in the background.

        Returns:
            The names of the models that were not there before.

        Raises:
            ServingError: FAILED_PRECONDITION, a label breaks the rules; nothing has changed.
        """
        with self._reloading:
            return self._replace(models, self._allow_unavailable_labels)

    def load_model(self, model: ModelConfig) -> None:
        """Adds a model to the set, or looks for new versions of it, in the background.

        Versions that failed are loaded again. The labels are taken before their versions are
        loaded, as at the start.

        Raises:
            ServingError: FAILED_PRECONDITION, a label moves to a version that is not available.
        """
        with self._reloading:
            others = [other for other in self._models if other.name != model.name]
            self.manager.retry_failed(model.name)
            self._replace([*others, model], allow_unavailable_labels=True)

    def unload_model(self, name: str) -> None:
        """Removes a model from the set, in the background."""
        with self._reloading:
            others = [other for other in self._models if other.name != name]
            self._replace(others, allow_unavailable_labels=True)

    def _replace(self, models: Sequence[ModelConfig], allow_unavailable_labels: bool) -> Set[str]:
        old = set(self.manager.names())
        self.manager.configure(models, allow_unavailable_labels=allow_unavailable_labels)
        self._models = models
        self._poller.watch(models)
        names = set(self.manager.names())
        _log.info("config reloaded", added=sorted(names - old), removed=sorted(old - names))
        return names - old

    def stop(self) -> None:
        """Unloads everything; requests in flight finish first."""
        self._poller.stop()
        self.manager.close()
