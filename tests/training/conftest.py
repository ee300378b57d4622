from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.tiny import checksums, write_dataset
from training.data import fashion_mnist as data
from training.exporting.export import Origin, export
from training.exporting.session import SessionModel
from training.zoo import find_network
from training.zoo.recipe import Recipe


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
