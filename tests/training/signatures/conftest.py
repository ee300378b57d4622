from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import keras
import pytest

from training.exporting.export import Origin, export
from training.exporting.session import SessionModel
from training.signatures.signature import Signature
from training.zoo.recipe import Recipe

Serve = Callable[[list[Signature]], SessionModel]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Exports signatures and runs them as a model server does."""
    with ExitStack() as stack:

        def export_and_load(signatures: list[Signature]) -> SessionModel:
            models: Path = tmp_path_factory.mktemp("models")
            origin = Origin("network", "quick", Recipe(epochs=1))
            return stack.enter_context(SessionModel(export(models, signatures, origin)))

        yield export_and_load


@pytest.fixture(autouse=True, scope="module")
def _seed() -> None:
    keras.utils.set_random_seed(0)
