from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from training.data.fashion_mnist import Split
from training.fitting import feature_extraction
from training.fitting.feature_extraction import extract_features


@pytest.fixture
def split() -> Split:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (7, 28, 28), dtype=np.uint8)
    return Split(images, np.arange(7, dtype=np.uint8))


@pytest.fixture
def model() -> keras.Model:
    layers = keras.layers
    inputs = keras.Input((28, 28, 1))
    cut = layers.AveragePooling2D(14, name="cut")(inputs)
    logits = layers.Dense(10, name="logits")(layers.Flatten()(cut))
    return keras.Model(inputs, logits, name="whole")


def test_base_and_head_together_are_the_model(
    model: keras.Model, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_extraction, "_CHUNK", 3)

    head, (training, validation) = extract_features(
        model, "cut", (split, split.take(slice(0, 2))), tmp_path
    )

    assert training.images.shape == (7, 2, 2, 1)
    np.testing.assert_array_equal(training.labels, split.labels)
    np.testing.assert_array_equal(validation.images, training.images[:2])
    whole = model(split.images[..., None].astype(np.float32))
    # Features are kept in half precision: three digits.
    np.testing.assert_allclose(head(training.images.astype(np.float32)), whole, rtol=5e-3, atol=0.2)


def test_features_are_computed_once(model: keras.Model, split: Split, tmp_path: Path) -> None:
    first = extract_features(model, "cut", (split, split), tmp_path)[1][0]
    other = Split(np.zeros_like(split.images), split.labels)

    second = extract_features(model, "cut", (other, other), tmp_path)[1][0]

    np.testing.assert_array_equal(first.images, second.images)


def test_the_head_shares_its_weights(model: keras.Model, split: Split, tmp_path: Path) -> None:
    head, _ = extract_features(model, "cut", (split, split), tmp_path)

    head.get_layer("logits").bias.assign(np.arange(10))

    np.testing.assert_array_equal(model.get_layer("logits").bias, np.arange(10))
