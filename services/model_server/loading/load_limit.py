"""Limits how many versions load at a time, and ends loads when the server stops."""

from __future__ import annotations

import threading
from pathlib import Path

from services.model_server.errors import ServingError
from services.model_server.servables.cancellation import Cancellation
from services.model_server.servables.servable import Load, Servable, ServableId
from services.serving_api.protos import error_codes_pb2


def limit_loads(load: Load, at_once: int, stopping: Cancellation) -> Load:
    """Returns a `load` of which at most `at_once` run together, first come, first served.

    All models at once would share the processors, and the first would be ready with the last.

    Args:
        load: what loads a version; it may look at `current_cancellation`.
        at_once: how many may run together.
        stopping: cancelled when the server stops; loads then raise ServingError CANCELLED.
    """
    slots = threading.Semaphore(at_once)

    def load_in_turn(servable_id: ServableId, path: Path) -> Servable:
        with slots, stopping.of_this_request():
            try:
                stopping.check()
                return load(servable_id, path)
            except ServingError:
                if stopping.is_cancelled:
                    raise ServingError(error_codes_pb2.CANCELLED, "the server stops") from None
                raise

    return load_in_turn
