"""Makes a servable of a version's folder: loaded, and warmed up before anyone sees it."""

from __future__ import annotations

from pathlib import Path

from services.model_server.core.load_options import LoadOptions
from services.model_server.core.saved_model import SavedModelServable
from services.model_server.core.servable import Servable
from services.model_server.core.warmup import warm_up


def load(path: Path, options: LoadOptions = LoadOptions()) -> Servable:  # noqa: B008 (immutable)
    """Load a SavedModel and replay its warm-up records.

    Raises:
        ServingError: the model or its warm-up is broken.
    """
    servable = SavedModelServable(path, options.tags, options.session_config)
    try:
        if options.enable_warmup:
            warm_up(servable, path, options.warmup_iterations)
    except Exception:
        servable.close()
        raise
    return servable
