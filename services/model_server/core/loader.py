"""Makes a servable of a version's folder: loaded, and warmed up before anyone sees it."""

from __future__ import annotations

from pathlib import Path

from services.model_server.core.saved_model import SavedModelServable
from services.model_server.core.servable import Servable
from services.model_server.core.warmup import warm_up


def load(path: Path) -> Servable:
    """Load a SavedModel and replay its warm-up records.

    Raises:
        ServingError: the model or its warm-up is broken.
    """
    servable = SavedModelServable(path)
    try:
        warm_up(servable, path)
    except Exception:
        servable.close()
        raise
    return servable
