from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from tests.training.tiny import checksums, write_dataset
from training.data import fashion_mnist as data
from training.data.fashion_mnist import CLASS_NAMES, slug
from training.exporting.export import Origin, export
from training.exporting.repository import latest_version
from training.exporting.restore import load_weights
from training.exporting.session import SessionModel
from training.zoo import find_network
from training.zoo.recipe import Recipe

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny data set."""
    folder = tmp_path_factory.mktemp("fashion-mnist")
    write_dataset(folder)
    return folder


@pytest.fixture
def tiny_data(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder, accepted as if it held the published files."""
    monkeypatch.setattr(data, "SHA256", checksums(tiny_folder))
    return tiny_folder


@pytest.fixture(scope="session")
def cnn() -> keras.Model:
    """The zoo's CNN with random weights."""
    keras.utils.set_random_seed(0)
    return find_network("cnn").build()


@pytest.fixture(scope="session")
def exported_cnn(cnn: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CNN's SavedModel."""
    models = tmp_path_factory.mktemp("models")
    return export(
        models, find_network("cnn").signatures(cnn), Origin("cnn", "quick", Recipe(epochs=1))
    )


@pytest.fixture(scope="session")
def served_cnn(exported_cnn: Path) -> Iterator[SessionModel]:
    """The CNN as a model server runs it."""
    with SessionModel(exported_cnn) as model:
        yield model


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Five noise images, float32 [5, 28, 28, 1] of whole numbers from 0 to 255."""
    return np.random.default_rng(0).integers(0, 256, (5, 28, 28, 1)).astype(np.float32)


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
