"""Makes a servable of a version's folder: loaded, and warmed up before anyone sees it."""

from __future__ import annotations

from pathlib import Path

from services.model_server.core.load_options import LoadOptions
from services.model_server.core.saved_model import SavedModelServable
from services.model_server.core.servable import Servable
from services.model_server.core.tflite_model import FILE_NAME, TfLiteServable
from services.model_server.core.warmup import warm_up


def load(path: Path, options: LoadOptions = LoadOptions()) -> Servable:  # noqa: B008 (immutable)
    """Load a version and replay its warm-up records.

    Raises:
        ServingError: the model or its warm-up is broken.
    """
    servable = _load(path, options)
    try:
        if options.enable_warmup:
            warm_up(servable, path, options.warmup_iterations)
    except Exception:
        servable.close()
        raise
    return servable


def _load(path: Path, options: LoadOptions) -> Servable:
    if options.prefer_tflite_model and (path / FILE_NAME).is_file():
        return TfLiteServable(path)
    return SavedModelServable(path, options.tags, options.session_config)
