"""Loads so many versions at a time, first come, first served."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from services.model_server.core.servable import Servable


def limit_loads(load: Callable[[Path], Servable], at_once: int) -> Callable[[Path], Servable]:
    """Return a `load` of which at most `at_once` run together.

    All models at once would share the processors, and the first would be ready with the last.
    """
    slots = threading.Semaphore(at_once)

    def load_in_turn(path: Path) -> Servable:
        with slots:
            return load(path)

    return load_in_turn
