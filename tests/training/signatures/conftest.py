from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from training.data.fashion_mnist import CLASS_NAMES, slug
from training.exporting.export import Origin, export
from training.exporting.repository import latest_version
from training.exporting.restore import load_weights
from training.exporting.session import SessionModel
from training.signatures.signature import Signature
from training.zoo import find_network
from training.zoo.recipe import Recipe

ROOT = Path(__file__).parents[3]
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


@pytest.fixture(scope="session")
def trained_cnn() -> keras.Model:
    """The zoo's CNN with the weights that the repository holds."""
    model = find_network("cnn").build()
    load_weights(model, latest_version(ROOT / "models", "cnn"))
    return model


@pytest.fixture(scope="session")
def samples() -> np.ndarray:
    """The ten sample images, one a class and in the classes' order, float32 [10, 28, 28, 1]."""
    folder = ROOT / "services" / "gateway" / "static" / "samples"
    files = [folder / f"{slug(name)}.png" for name in CLASS_NAMES]
    return np.stack([np.asarray(Image.open(file), np.float32) for file in files])[..., None]
