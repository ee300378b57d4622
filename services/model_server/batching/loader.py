"""Wraps what is loaded in a batcher, by the parameters of the server or of the model."""

from __future__ import annotations

from pathlib import Path

from services.model_server.batching.batched_servable import BatchingServable
from services.model_server.batching.metrics import BatchingMetrics
from services.model_server.batching.parameters import (
    PER_MODEL_FILE,
    BatchingParameters,
    read_batching_parameters,
)
from services.model_server.batching.scheduler import BatchScheduler
from services.model_server.config.model_config import ConfigError
from services.model_server.errors import invalid_argument
from services.model_server.servables.servable import Load, Servable, ServableId


def batching_loader(
    load: Load, parameters: BatchingParameters, metrics: BatchingMetrics, *, per_model: bool
) -> Load:
    """Returns a function that loads like `load` and batches what it loaded.

    Args:
        load: makes a servable of a version's folder.
        parameters: how to batch; its `num_batch_threads` holds for all models together.
        metrics: what measures all of them.
        per_model: take the parameters from `batching_params.pbtxt` in the version's folder, and
            do not batch a version without one, as TensorFlow Serving does.
    """
    scheduler = BatchScheduler(parameters.num_batch_threads)

    def load_batching(servable_id: ServableId, path: Path) -> Servable:
        chosen = _read_own(path) if per_model else parameters
        servable = load(servable_id, path)
        if not chosen:
            return servable
        return BatchingServable(servable, chosen, scheduler, metrics.of(servable_id, chosen))

    return load_batching


def _read_own(path: Path) -> BatchingParameters | None:
    file = path / PER_MODEL_FILE
    if not file.is_file():
        return None
    try:
        return read_batching_parameters(file)
    except ConfigError as error:
        raise invalid_argument(str(error)) from None
