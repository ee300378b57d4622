from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import softmax

from training.data.fashion_mnist import Split
from training.errors import ModelRepositoryError
from training.evaluation.evaluate import measure
from training.zoo.objective import CLASSIFICATION


def test_it_counts_as_keras_does(exported_cnn: Path, cnn: keras.Model, images: np.ndarray) -> None:
    predicted = cnn.predict(images, verbose=0).argmax(axis=1)
    labels = predicted.astype(np.uint8)
    labels[:2] = (labels[:2] + 1) % 10

    measured = measure(exported_cnn, CLASSIFICATION, Split(images[..., 0].astype(np.uint8), labels))

    assert measured.quality == 3 / 5
    assert measured.parameters == cnn.count_params()
    assert measured.size == sum(
        path.stat().st_size for path in exported_cnn.rglob("*") if path.is_file()
    )


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    split = Split(np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.uint8))

    with pytest.raises(ModelRepositoryError, match="cannot be loaded as a SavedModel"):
        measure(tmp_path, CLASSIFICATION, split)


def test_what_a_classifier_says_is_noted_on_the_way(
    exported_cnn: Path, cnn: keras.Model, images: np.ndarray
) -> None:
    split = Split(images[..., 0].astype(np.uint8), np.zeros(5, np.uint8))

    measured = measure(exported_cnn, CLASSIFICATION, split)

    logits = cnn.predict(images, verbose=0)
    np.testing.assert_allclose(measured.probabilities, softmax(logits, axis=1), atol=1e-5)
