"""The committed autoencoders do what they are for, on the validation set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from training.data.fashion_mnist import Split, load_training
from training.exporting.repository import latest_version
from training.exporting.session import SessionModel

MODELS = Path(__file__).parents[2] / "models"

Load = Callable[[str], SessionModel]

pytestmark = pytest.mark.dataset


@pytest.fixture(scope="module")
def load() -> Iterator[Load]:
    """Opens the latest version of a committed model."""
    with ExitStack() as stack:
        yield cache(lambda name: stack.enter_context(SessionModel(latest_version(MODELS, name))))


@pytest.fixture(scope="module")
def splits() -> tuple[Split, Split]:
    return load_training()


@pytest.fixture(scope="module")
def validation(splits: tuple[Split, Split]) -> np.ndarray:
    """float32 [5000, 28, 28, 1], 0 to 255."""
    return splits[1].images[..., None].astype(np.float32)


@pytest.fixture(scope="module")
def rows(splits: tuple[Split, Split]) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation images as rows, float32 [N, 784], 0 to 1."""
    training, validation = (split.images.reshape(-1, 784).astype(np.float32) for split in splits)
    return training / 255, validation / 255


def error(images: np.ndarray, restored: np.ndarray) -> float:
    """The mean squared error a pixel on the 0 to 1 scale."""
    return float(np.mean(((images - restored) / 255) ** 2))


def reconstruction_error(model: SessionModel, images: np.ndarray) -> float:
    return error(images, model.run("serving_default", images=images)["images"])


def test_the_autoencoder_beats_principal_components_of_its_size(
    load: Load, validation: np.ndarray, rows: tuple[np.ndarray, np.ndarray]
) -> None:
    training_rows, validation_rows = rows
    components = PCA(32, svd_solver="covariance_eigh").fit(training_rows)
    projected = components.inverse_transform(components.transform(validation_rows))

    restored = reconstruction_error(load("autoencoder"), validation)

    assert restored < 0.8 * np.mean((validation_rows - projected) ** 2)


def test_the_linear_autoencoder_reaches_the_truncated_svd(
    load: Load, validation: np.ndarray, rows: tuple[np.ndarray, np.ndarray]
) -> None:
    training_rows, validation_rows = rows
    _, vectors = np.linalg.eigh(training_rows.T @ training_rows)
    basis = vectors[:, -10:]
    best = np.mean((validation_rows - validation_rows @ basis @ basis.T) ** 2)

    assert reconstruction_error(load("linear_autoencoder"), validation) < 1.01 * best


def test_the_codec_in_bytes_beats_the_autoencoder_in_floats(
    load: Load, validation: np.ndarray
) -> None:
    code = load("codec").run("compress", images=validation[:1])["code"]

    assert (code.dtype, code.shape) == (np.uint8, (1, 32))
    codec, dense = (
        reconstruction_error(load(name), validation) for name in ("codec", "autoencoder")
    )
    assert codec <= 0.85 * dense


@pytest.mark.parametrize("name", ["codec", "autoencoder", "linear_autoencoder"])
def test_compressing_again_loses_little(name: str, load: Load, validation: np.ndarray) -> None:
    model = load(name)

    def again(images: np.ndarray) -> np.ndarray:
        code = model.run("compress", images=images)["code"]
        return model.run("decompress", code=code)["images"]

    first = again(validation)
    second = again(first)

    assert error(first, second) < 0.15 * error(validation, first)
