"""Loads so many versions at a time, first come, first served."""

from __future__ import annotations

import threading
from pathlib import Path

from services.model_server.servables.servable import Load, Servable, ServableId


def limit_loads(load: Load, at_once: int) -> Load:
    """Return a `load` of which at most `at_once` run together.

    All models at once would share the processors, and the first would be ready with the last.
    """
    slots = threading.Semaphore(at_once)

    def load_in_turn(servable_id: ServableId, path: Path) -> Servable:
        with slots:
            return load(servable_id, path)

    return load_in_turn
