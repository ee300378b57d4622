"""The state of a model and of its versions."""

from __future__ import annotations

import time
from collections.abc import Set
from dataclasses import dataclass, field
from typing import NamedTuple

from services.model_server.errors import ServingError
from services.model_server.servables.servable import Servable
from services.serving_api.protos import get_model_status_pb2

State = get_model_status_pb2.ModelVersionStatus


class VersionStatus(NamedTuple):
    """Where a version stands, a `State`; `error` says why its last load failed."""

    version: int
    state: int
    error: ServingError | None


@dataclass
class Version:
    """One version: where it stands, who uses it, and when a failed load is tried again."""

    state: int = State.START
    error: ServingError | None = None
    failures: int = 0
    retry_at: float | None = None  # By the monotonic clock.
    in_flight: int = 0
    servable: Servable = field(init=False)  # From AVAILABLE to the end of UNLOADING.


@dataclass
class Model:
    """One model: what its base path offered last, and every version that was ever tried."""

    problem: str | None = "its base path was not looked at yet"
    is_settled: bool = False
    has_loaded_once: bool = False  # Its base path was read, and what it offered loaded or failed.
    aspired: Set[int] = frozenset()
    versions: dict[int, Version] = field(default_factory=dict)

    def available(self) -> set[int]:
        """Returns the versions that answer requests."""
        return {number for number, held in self.versions.items() if held.state == State.AVAILABLE}

    def is_unloaded(self) -> bool:
        """Tells whether no version is loaded, and none is to be."""
        return not self.aspired and all(held.state == State.END for held in self.versions.values())

    def due(self, aspired: Set[int]) -> list[int]:
        """Returns what to load now: what is new, and what failed and has waited long enough."""
        new = aspired - self.aspired - self.available()
        now = time.monotonic()
        again = {
            number
            for number, held in self.versions.items()
            if held.retry_at is not None and held.retry_at <= now
        }
        return sorted(new | again & aspired)

    def retry_failed(self) -> None:
        """Lets the next look load the versions again whose last load failed."""
        for held in self.versions.values():
            if held.error and held.state == State.END:
                held.retry_at = time.monotonic()

    def what_failed(self) -> str | None:
        """Says why the base path, or a version that it offers, could not be loaded, if so."""
        errors = [
            f"version {number}: {held.error.message}"
            for number, held in sorted(self.versions.items())
            if held.error and number in self.aspired
        ]
        return "; ".join(errors) or self.problem

    def retry_at(self) -> float | None:
        """Returns when the next failed load is tried again."""
        times = [held.retry_at for held in self.versions.values() if held.retry_at is not None]
        return min(times, default=None)

    def statuses(self, version: int | None) -> list[VersionStatus]:
        """Reports all versions, or one of them, newest first."""
        return [
            VersionStatus(number, held.state, held.error)
            for number, held in sorted(self.versions.items(), reverse=True)
            if version in (None, number)
        ]

    def why_not_available(self, name: str) -> str:
        """Says what went wrong, in the words of TensorFlow Serving's reload."""
        errors = [
            f"{{name: {name} version: {number}}} due to error: {held.error.message}"
            for number, held in sorted(self.versions.items())
            if held.error
        ]
        return ", ".join(errors) or f"{{name: {name}}} due to error: {self.problem}"
