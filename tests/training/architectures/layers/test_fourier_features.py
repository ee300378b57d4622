from __future__ import annotations

import keras
import numpy as np

from training.architectures.layers.fourier_features import FourierFeatures


def test_inner_products_approximate_the_gaussian_kernel() -> None:
    points = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)

    features = FourierFeatures(20_000, bandwidth=3.0)(points).numpy()

    distances = np.square(points[:, None] - points[None]).sum(axis=-1)
    np.testing.assert_allclose(features @ features.T, np.exp(-distances / 18), atol=0.03)


def test_nothing_is_trained_and_the_seed_decides() -> None:
    points = np.ones((1, 4), np.float32)
    layer, same, other = (FourierFeatures(16, 1.0, seed=seed) for seed in (0, 0, 1))

    np.testing.assert_array_equal(layer(points), same(points))
    assert (layer(points).numpy() != other(points).numpy()).any()
    assert layer.trainable_weights == []


def test_it_is_built_from_its_config() -> None:
    layer = FourierFeatures(16, 2.0, seed=3, name="fourier")

    copy = keras.layers.deserialize(keras.layers.serialize(layer))

    points = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(copy(points), layer(points))
