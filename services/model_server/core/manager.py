"""Holds the loaded versions of all models and swaps them without losing a request."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import structlog

from services.model_server.core.config import ModelConfig
from services.model_server.core.errors import ServingError, invalid_argument, not_found
from services.model_server.core.servable import Servable
from services.serving_api.protos import error_codes_pb2, get_model_status_pb2, model_pb2

State = get_model_status_pb2.ModelVersionStatus

_log = structlog.get_logger(__name__)


class Lease(NamedTuple):
    """A servable that stays loaded until the request is done, and the version that it is."""

    servable: Servable
    version: int


class VersionStatus(NamedTuple):
    """Where a version stands, a `State`; `error` says why its load failed."""

    version: int
    state: int
    error: ServingError | None


@dataclass
class _Version:
    state: int = State.START
    error: ServingError | None = None
    in_flight: int = 0
    servable: Servable = field(init=False)  # From AVAILABLE to the end of UNLOADING.


@dataclass
class _Model:
    config: ModelConfig
    aspired: Set[int] = frozenset()
    versions: dict[int, _Version] = field(default_factory=dict)

    def available(self) -> set[int]:
        return {number for number, held in self.versions.items() if held.state == State.AVAILABLE}


class ModelManager:
    """Loads, holds, lends and unloads versions; safe to use from many threads.

    Requests take the lock only to count themselves in and out: loading, running and closing
    happen outside it.
    """

    def __init__(self, models: Sequence[ModelConfig], load: Callable[[Path], Servable]) -> None:
        """Make a manager that holds nothing yet.

        Args:
            models: what to serve.
            load: makes a servable, warmed up, of a version's folder; raises ServingError.
        """
        self._models = {config.name: _Model(config) for config in models}
        self._load = load
        self._changed = threading.Condition()
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every change of a state, in the thread that made it."""
        self._listeners.append(listener)

    def is_ready(self) -> bool:
        """Tell whether there are models and each has an available version."""
        with self._changed:
            return bool(self._models) and all(model.available() for model in self._models.values())

    def statuses(self, name: str, version: int | None = None) -> list[VersionStatus]:
        """Report the versions of a model, or one of them, newest first.

        Raises:
            ServingError: NOT_FOUND, there is none.
        """
        with self._changed:
            versions = self._models[name].versions if name in self._models else {}
            statuses = [
                VersionStatus(number, held.state, held.error)
                for number, held in sorted(versions.items(), reverse=True)
                if version in (None, number)
            ]
        if not statuses:
            which = "any versions" if version is None else f"version {version}"
            raise not_found(f"Could not find {which} of model {name}")
        return statuses

    @contextmanager
    def lease(self, spec: model_pb2.ModelSpec) -> Iterator[Lease]:
        """Lend the servable that a request asks for: by version, by label, or the latest.

        Raises:
            ServingError: NOT_FOUND, or INVALID_ARGUMENT for no name or an unknown label.
        """
        with self._changed:
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

    def set_aspired_versions(self, name: str, aspired: Mapping[int, Path]) -> None:
        """Load what is new, then unload what is no longer wanted; return when that is done.

        An old version goes only once a wanted one is available (AvailabilityPreservingPolicy of
        TensorFlow Serving), so that a failed load leaves it serving. A failed version is loaded
        again when its folder has gone and come back. Call this from one thread a model.
        """
        model = self._models[name]
        new = sorted(aspired.keys() - model.aspired - model.available())
        model.aspired = aspired.keys()
        for version in new:
            self._load_version(name, version, aspired[version])
        available = model.available()
        is_replaced = not aspired or not available.isdisjoint(aspired)
        old = sorted(available - aspired.keys()) if is_replaced else []
        for version in old:
            self._unload_version(name, version)
        if new or old:
            _freeze_heap()

    def close(self) -> None:
        """Unload everything; requests in flight finish first."""
        for name in self._models:
            self.set_aspired_versions(name, {})

    def _find_available(self, spec: model_pb2.ModelSpec) -> tuple[int, _Version]:
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        model = self._models.get(spec.name)
        available = model.available() if model else set()
        match spec.WhichOneof("version_choice"):
            case "version":
                wanted, request = spec.version.value, f"Specific({spec.name}, {spec.version.value})"
            case "version_label":
                wanted = self._labelled_version(model, spec.version_label)
                request = f"Specific({spec.name}, {wanted})"
            case _:
                wanted, request = max(available, default=None), f"Latest({spec.name})"
        if model is None or wanted not in available:
            raise not_found(f"Servable not found for request: {request}")
        return wanted, model.versions[wanted]

    def _labelled_version(self, model: _Model | None, label: str) -> int:
        labels = model.config.version_labels if model else {}
        if label not in labels:
            raise invalid_argument(f"Unrecognized servable version label: {label}")
        version: int = labels[label]
        return version

    def _load_version(self, name: str, version: int, path: Path) -> None:
        log = _log.bind(model=name, version=version, path=str(path))
        held = _Version()
        with self._changed:
            self._models[name].versions[version] = held
        self._set_state(held, State.LOADING)
        start = time.perf_counter()
        try:
            held.servable = self._load(path)
        except ServingError as error:
            held.error = error
        except Exception as error:
            # One model that fails in a way nobody foresaw must not end the thread.
            log.exception("load crashed")
            held.error = ServingError(error_codes_pb2.INTERNAL, f"{path}: {error!r}")
        seconds = round(time.perf_counter() - start, 3)
        if held.error:
            self._set_state(held, State.END)
            log.error("load failed", error=held.error.message, seconds=seconds)
        else:
            self._set_state(held, State.AVAILABLE)
            log.info("available", seconds=seconds)

    def _unload_version(self, name: str, version: int) -> None:
        held = self._models[name].versions[version]
        self._set_state(held, State.UNLOADING)
        with self._changed:
            self._changed.wait_for(lambda: not held.in_flight)
        held.servable.close()
        del held.servable
        self._set_state(held, State.END)
        _log.info("unloaded", model=name, version=version)

    def _set_state(self, held: _Version, state: int) -> None:
        with self._changed:
            held.state = state
        for listener in self._listeners:
            listener()


def _freeze_heap() -> None:
    """Collect what the last swap left, then hide the rest from the garbage collector.

    With TensorFlow loaded a full collection stops every request for about 0.2 s; frozen objects
    are never looked at. They are thawed first, since an unloaded graph is held by cycles alone.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
