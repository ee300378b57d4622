"""Which parameters a loaded version is batched by."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.model_server.batching.batched_servable import BatchingServable
from services.model_server.batching.loader import batching_loader
from services.model_server.batching.metrics import BatchingMetrics
from services.model_server.batching.parameters import BatchingParameters
from services.model_server.errors import ServingError
from services.model_server.servables.servable import ServableId

SERVER = BatchingParameters(max_batch_size=7)
ID = ServableId("m", 1)


def load(_: ServableId, path: Path) -> Any:
    return SimpleNamespace(signatures={}, signature_defs={})


def loaded(path: Path, *, per_model: bool) -> Any:
    metrics = BatchingMetrics(CollectorRegistry())
    return batching_loader(load, SERVER, metrics, per_model=per_model)(ID, path)


def test_the_server_says_how_to_batch(tmp_path: Path) -> None:
    servable = loaded(tmp_path, per_model=False)
    assert isinstance(servable, BatchingServable)
    assert servable._parameters == SERVER


def test_a_model_may_bring_its_own_parameters(tmp_path: Path) -> None:
    (tmp_path / "batching_params.pbtxt").write_text("max_batch_size { value: 3 }")
    servable = loaded(tmp_path, per_model=True)
    assert isinstance(servable, BatchingServable)
    assert servable._parameters.max_batch_size == 3


def test_a_model_without_its_own_parameters_is_not_batched(tmp_path: Path) -> None:
    assert not isinstance(loaded(tmp_path, per_model=True), BatchingServable)


def test_a_mistake_in_its_own_parameters_fails_the_load(tmp_path: Path) -> None:
    (tmp_path / "batching_params.pbtxt").write_text("max_batch_size { value: 0 }")
    with pytest.raises(ServingError, match="expected at least 1"):
        loaded(tmp_path, per_model=True)
