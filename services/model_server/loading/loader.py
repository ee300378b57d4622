"""Makes a servable of a version's folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from services.model_server.loading.load_options import LoadOptions
from services.model_server.metrics.load_metrics import LoadMetrics
from services.model_server.servables.custom_ops import register_ops
from services.model_server.servables.saved_model import SavedModelServable
from services.model_server.servables.servable import Servable
from services.model_server.servables.tflite_model import FILE_NAME, TfLiteServable

# Once, before the first load.
register_ops()

_UNREAD = LoadMetrics(CollectorRegistry())


def load(
    path: Path,
    options: LoadOptions = LoadOptions(),  # noqa: B008 (immutable)
    metrics: LoadMetrics = _UNREAD,
) -> Servable:
    """Loads a version.

    Raises:
        ServingError: the model is broken.
    """
    with metrics.load(path):
        if options.prefer_tflite_model and (path / FILE_NAME).is_file():
            return TfLiteServable(path)
        on_threads = partial(metrics.chose_threads, path) if options.leaves_threads_open else None
        return SavedModelServable(path, options.tags, options.session_config, on_threads)
