"""Holds the loaded versions of all models and swaps them without losing a request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog

from services.model_server.config.model_config import ModelConfig
from services.model_server.errors import ServingError, invalid_argument, not_found
from services.model_server.models.first_load import FirstLoads
from services.model_server.models.heap import settle_heap
from services.model_server.models.labels import check_labels, labels_of
from services.model_server.models.model import Model, State, Version, VersionStatus
from services.model_server.servables.servable import Load, Servable, ServableId
from services.serving_api.protos import error_codes_pb2, model_pb2

_log = structlog.get_logger(__name__)


class Lease(NamedTuple):
    """A servable that stays loaded until the request is done, and the version that it is."""

    servable: Servable
    version: int


class Retries(NamedTuple):
    """How often a failed load is tried again, and after how many seconds."""

    max_num: int = 0
    interval_seconds: float = 60


class ModelManager:
    """Loads, holds, lends and unloads versions; safe to use from many threads.

    Requests take the lock only to count themselves in and out: loading, running and closing
    happen outside it.
    """

    def __init__(
        self,
        models: Sequence[ModelConfig],
        load: Load,
        retries: Retries = Retries(),  # noqa: B008 (immutable)
        max_waiting_requests: int = 4,
        *,
        may_be_empty: bool = False,
    ) -> None:
        """Makes a manager that holds nothing yet.

        Args:
            models: what to serve; a label among them may name a version that is still to come.
            load: makes a servable of a version's folder.
            retries: what to do about a load that failed.
            max_waiting_requests: how many requests may wait for first loads; each holds a thread.
            may_be_empty: without a model, too, the server is ready.
        """
        self._models = {config.name: Model() for config in models}
        self._configured: Set[str] = self._models.keys()
        self._labels = labels_of(models)
        self._may_be_empty = may_be_empty
        self._load = load
        self._retries = retries
        self._changed = threading.Condition()
        self._first_loads = FirstLoads(self._changed, max_waiting_requests)
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after every change of a state, in the thread that made it."""
        self._listeners.append(listener)

    def configure(self, models: Sequence[ModelConfig], *, allow_unavailable_labels: bool) -> None:
        """Replaces the set of models and their labels.

        A model that is no longer there counts no more, but its versions stay until
        `set_aspired_versions` says otherwise.

        Raises:
            ServingError: FAILED_PRECONDITION, a label breaks the rules; nothing has changed.
        """
        labels = labels_of(models)
        with self._changed:
            available = {name: model.available() for name, model in self._models.items()}
            check_labels(
                labels, self._labels, available, allow_unavailable=allow_unavailable_labels
            )
            self._labels = labels
            for name in labels:
                # The look that follows settles it.
                self._models.setdefault(name, Model()).is_settled = False
            self._configured = labels.keys()
        self._notify()

    def names(self) -> list[str]:
        """Returns the names of the configured models in order."""
        with self._changed:
            return sorted(self._configured)

    def knows(self, name: str) -> bool:
        """Tells whether a model of this name was ever configured."""
        return name in self._models

    def labels(self, name: str) -> Mapping[str, int]:
        """Returns the version that each label of a model names."""
        with self._changed:
            return self._labels.get(name, {})

    def is_ready(self) -> bool:
        """Tells whether there are models and each has an available version."""
        with self._changed:
            return (bool(self._configured) or self._may_be_empty) and all(
                self._models[name].available() for name in self._configured
            )

    def wait_until_available(self, names: Set[str], timeout_seconds: float | None) -> None:
        """Waits until each of some models has loaded all it found, or failed for good.

        Raises:
            ServingError: UNKNOWN, a model has no available version; DEADLINE_EXCEEDED.
        """

        def are_settled() -> bool:
            return all(self._models[name].is_settled for name in names)

        with self._changed:
            in_time = self._changed.wait_for(are_settled, timeout_seconds)
            missing = [name for name in sorted(names) if not self._models[name].available()]
            if missing:
                raise ServingError(
                    error_codes_pb2.UNKNOWN if in_time else error_codes_pb2.DEADLINE_EXCEEDED,
                    f"{len(missing)} model(s) did not become available: {{"
                    + ", ".join(self._models[name].why_not_available(name) for name in missing)
                    + "}",
                )

    def retry_failed(self, name: str) -> None:
        """Lets the next look at a model load the versions again that failed for good."""
        with self._changed:
            if name in self._models:
                self._models[name].retry_failed()

    def what_failed(self, name: str) -> str | None:
        """Says what the last look at a model could not load, if anything."""
        with self._changed:
            return self._models[name].what_failed()

    def wait_until_unloaded(self, name: str, timeout_seconds: float | None) -> None:
        """Waits until a model that is no longer configured has been unloaded.

        Raises:
            ServingError: DEADLINE_EXCEEDED, requests are still running on it.
        """
        with self._changed:
            if not self._changed.wait_for(self._models[name].is_unloaded, timeout_seconds):
                raise ServingError(
                    error_codes_pb2.DEADLINE_EXCEEDED, f"model {name} is still unloading"
                )

    def problem(self, name: str) -> str | None:
        """Says what is wrong with a model's base path, if anything."""
        with self._changed:
            return self._models[name].problem

    def set_problem(self, name: str, problem: str | None) -> None:
        """Notes what is wrong with a model's base path after a look at it."""
        model = self._models[name]
        with self._changed:
            model.problem = problem
            model.has_loaded_once = True
            model.is_settled = model.retry_at() is None
            self._changed.notify_all()

    def statuses(self, name: str, version: int | None = None) -> list[VersionStatus]:
        """Reports the versions of a model, or one of them, newest first.

        Raises:
            ServingError: NOT_FOUND, there is none.
        """
        statuses = self.statuses_if_any(name, version)
        if not statuses:
            which = "any versions" if version is None else f"version {version}"
            raise not_found(f"Could not find {which} of model {name}")
        return statuses

    def statuses_if_any(self, name: str, version: int | None = None) -> list[VersionStatus]:
        """Reports as `statuses` does, with an empty list where there is none."""
        with self._changed:
            return self._models[name].statuses(version) if name in self._models else []

    @contextmanager
    def lease(self, spec: model_pb2.ModelSpec) -> Iterator[Lease]:
        """Lends the servable that a request asks for: by version, by label, or the latest.

        A request for a configured model waits until the model's first load has ended.

        Raises:
            ServingError: NOT_FOUND; INVALID_ARGUMENT for no name or an unknown label; UNAVAILABLE
                or DEADLINE_EXCEEDED where the first load has not ended (see `FirstLoads`).
        """
        with self._changed:
            if spec.name in self._configured:
                self._first_loads.wait(spec.name, partial(self._can_answer, spec))
            number, held = self._find_available(spec)
            held.in_flight += 1
            servable = held.servable
        try:
            yield Lease(servable, number)
        finally:
            with self._changed:
                held.in_flight -= 1
                if held.state == State.UNLOADING:
                    self._changed.notify_all()

    def set_aspired_versions(self, name: str, aspired: Mapping[int, Path]) -> float | None:
        """Loads what is new, then unloads what is no longer wanted; returns when that is done.

        An old version goes only once a wanted one is available (AvailabilityPreservingPolicy of
        TensorFlow Serving), so that a failed load leaves it serving. A failed version that has no
        retries left is loaded again when its folder has gone and come back. Call this from one
        thread a model.

        Returns:
            The time, by the monotonic clock, to call this again to retry a failed load.
        """
        model = self._models[name]
        new = model.due(aspired.keys())
        model.aspired = aspired.keys()
        for version in new:
            self._load_version(name, version, aspired[version])
        self._give_up(model)
        available = model.available()
        is_replaced = not aspired or not available.isdisjoint(aspired)
        old = sorted(available - aspired.keys()) if is_replaced else []
        for version in old:
            self._unload_version(name, version)
        if new or old:
            settle_heap()
        with self._changed:
            model.has_loaded_once = True
            self._changed.notify_all()
        return model.retry_at()

    def stop_waiting(self) -> None:
        """Refuses the requests that wait for a first load, since the server stops."""
        with self._changed:
            self._first_loads.stop()

    def close(self) -> None:
        """Unloads everything, the pollers having stopped; requests in flight finish first."""
        for name, model in self._models.items():
            for version in sorted(model.available()):
                self._unload_version(name, version)

    def _can_answer(self, spec: model_pb2.ModelSpec) -> bool:
        """Tells whether a request would get its answer now, be it that there is no such version."""
        if self._models[spec.name].has_loaded_once:
            return True
        try:
            self._find_available(spec)
        except ServingError as error:
            return bool(error.code != error_codes_pb2.NOT_FOUND)
        return True

    def _find_available(self, spec: model_pb2.ModelSpec) -> tuple[int, Version]:
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        model = self._models.get(spec.name)
        available = model.available() if model else set()
        match spec.WhichOneof("version_choice"):
            case "version":
                wanted, request = spec.version.value, f"Specific({spec.name}, {spec.version.value})"
            case "version_label":
                wanted = self._labelled_version(spec)
                request = f"Specific({spec.name}, {wanted})"
            case _:
                wanted, request = max(available, default=None), f"Latest({spec.name})"
        if model is None or wanted not in available:
            raise not_found(f"Servable not found for request: {request}")
        return wanted, model.versions[wanted]

    def _labelled_version(self, spec: model_pb2.ModelSpec) -> int:
        labels = self._labels.get(spec.name, {})
        if spec.version_label not in labels:
            raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
        return labels[spec.version_label]

    def _load_version(self, name: str, version: int, path: Path) -> None:
        log = _log.bind(model=name, version=version, path=str(path))
        held = self._version_to_load(self._models[name], version)
        self._set_state(held, State.LOADING)
        start = time.perf_counter()
        held.error = held.retry_at = None
        try:
            held.servable = self._load(ServableId(name, version), path)
        except ServingError as error:
            held.error = error
        except Exception as error:
            # An unforeseen failure of one model must not end the thread.
            log.exception("load crashed")
            held.error = ServingError(error_codes_pb2.INTERNAL, f"{path}: {error!r}")
        seconds = round(time.perf_counter() - start, 3)
        if held.error and held.error.code == error_codes_pb2.CANCELLED:
            self._set_state(held, State.END)
        elif held.error:
            left = self._retry_later(held)
            log.error("load failed", error=held.error.message, seconds=seconds, retries_left=left)
        else:
            self._set_state(held, State.AVAILABLE)
            log.info("available", seconds=seconds)

    def _version_to_load(self, model: Model, version: int) -> Version:
        """Returns the record of a version that failed and is tried again, or a new one."""
        with self._changed:
            held = model.versions.get(version)
            if held is None or held.retry_at is None:
                held = model.versions[version] = Version()
            return held

    def _retry_later(self, held: Version) -> int:
        """Plans the next try of a failed load, or ends it; returns how many are left."""
        held.failures += 1
        left = self._retries.max_num + 1 - held.failures
        if left > 0:
            held.retry_at = time.monotonic() + max(self._retries.interval_seconds, 0)
        else:
            self._set_state(held, State.END)
        return left

    def _give_up(self, model: Model) -> None:
        """Ends the retries of versions that are no longer wanted."""
        for version, held in model.versions.items():
            if held.retry_at is not None and version not in model.aspired:
                held.retry_at = None
                self._set_state(held, State.END)

    def _unload_version(self, name: str, version: int) -> None:
        held = self._models[name].versions[version]
        self._set_state(held, State.UNLOADING)
        with self._changed:
            self._changed.wait_for(lambda: not held.in_flight)
        held.servable.close()
        del held.servable
        self._set_state(held, State.END)
        _log.info("unloaded", model=name, version=version)

    def _set_state(self, held: Version, state: int) -> None:
        with self._changed:
            held.state = state
            self._changed.notify_all()
        self._notify()

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()
