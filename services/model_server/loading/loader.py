"""Makes a servable of a version's folder: loaded, and warmed up before anyone sees it."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from services.model_server.loading.load_options import LoadOptions
from services.model_server.loading.warmup import WARMUP_PATH, warm_up
from services.model_server.metrics.load_metrics import LoadMetrics
from services.model_server.servables.saved_model import SavedModelServable
from services.model_server.servables.servable import Servable
from services.model_server.servables.tflite_model import FILE_NAME, TfLiteServable

_UNREAD = LoadMetrics(CollectorRegistry())


def load(
    path: Path,
    options: LoadOptions = LoadOptions(),  # noqa: B008 (immutable)
    metrics: LoadMetrics = _UNREAD,
) -> Servable:
    """Load a version and replay its warm-up records.

    Raises:
        ServingError: the model or its warm-up is broken.
    """
    with metrics.load(path):
        servable = _load(path, options)
    if options.enable_warmup and (path / WARMUP_PATH).is_file():
        try:
            with metrics.warm_up(path):
                warm_up(servable, path, options.warmup_iterations)
        except Exception:
            servable.close()
            raise
    return servable


def _load(path: Path, options: LoadOptions) -> Servable:
    if options.prefer_tflite_model and (path / FILE_NAME).is_file():
        return TfLiteServable(path)
    return SavedModelServable(path, options.tags, options.session_config)
