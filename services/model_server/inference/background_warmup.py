"""Warms a model up behind its first answer (`--enable_background_warmup`).

TensorFlow Serving replays all warm-up records before a version becomes available. Here the first
version of a model becomes available after its first record; a client that is ahead of the others
waits for one signature instead of for all. Later versions are warmed up whole, since the version
before them answers meanwhile.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import structlog
from google.protobuf import wrappers_pb2

from services.model_server.errors import ServingError
from services.model_server.inference.data_plane import Models
from services.model_server.inference.warmup import WARMUP_PATH, replay_records, warming_loader
from services.model_server.metrics.load_metrics import LoadMetrics
from services.model_server.models.manager import Lease
from services.model_server.servables.servable import Load, Servable, ServableId
from services.serving_api.protos import model_pb2

_log = structlog.get_logger(__name__)


class BackgroundWarmUp:
    """Replays the other records of first versions, one after another, while nothing loads."""

    def __init__(self, iterations: int = 1) -> None:
        """Prepares a warm-up that `start` begins.

        Args:
            iterations: How often each record is replayed.
        """
        self._iterations = iterations
        self._names: set[str] = set()
        self._left: deque[tuple[ServableId, Path]] = deque()
        self._loading = 0
        self._is_stopped = False
        self._changed = threading.Condition()

    def loader(self, load: Load, metrics: LoadMetrics) -> Load:
        """Returns a `load` that warms up as `warming_loader` does, but a first version in part."""
        load_warm = warming_loader(load, metrics, self._iterations)
        load_first = warming_loader(load, metrics, self._iterations, first_record_only=True)

        def load_counted(servable_id: ServableId, path: Path) -> Servable:
            with self._counted():
                if servable_id.name in self._names:
                    return load_warm(servable_id, path)
                servable = load_first(servable_id, path)
                self._names.add(servable_id.name)
                if (path / WARMUP_PATH).is_file():
                    self._left.append((servable_id, path))
                return servable

        return load_counted

    def start(self, models: Models) -> None:
        """Starts the thread that warms up what `models` lends."""
        threading.Thread(target=self._run, args=(models,), name="warm-up", daemon=True).start()

    def stop(self) -> None:
        """Lets the thread end after the record that it replays."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            self._loading += 1
        try:
            yield
        finally:
            with self._changed:
                self._loading -= 1
                self._changed.notify_all()

    def _run(self, models: Models) -> None:
        while self._may_go_on(wants_work=True):
            servable_id, path = self._left.popleft()
            try:
                for _ in replay_records(_OneVersion(models, servable_id), path, self._iterations):
                    if not self._may_go_on():
                        return
                _log.info("warmed up in the background", path=str(path))
            except ServingError as error:
                _log.warning("not warmed up", path=str(path), error=error.message)

    def _may_go_on(self, *, wants_work: bool = False) -> bool:
        """Waits until nothing loads, and for work if wanted; returns False after `stop`."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_stopped or not (self._loading or (wants_work and not self._left))
            )
            return not self._is_stopped


class _OneVersion(NamedTuple):
    """Lends the version that is warmed up, whatever model a record names."""

    models: Models
    servable_id: ServableId

    def lease(self, _spec: model_pb2.ModelSpec) -> AbstractContextManager[Lease]:
        version = wrappers_pb2.Int64Value(value=self.servable_id.version)
        return self.models.lease(model_pb2.ModelSpec(name=self.servable_id.name, version=version))

    def knows(self, _name: str) -> bool:
        return False
