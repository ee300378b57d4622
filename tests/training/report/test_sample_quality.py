from __future__ import annotations

import numpy as np
import pytest

from tests.training.report.fake_models import fake_model
from training.report.sample_quality import features, measure_samples


def classifier() -> object:
    """Sees in an image its first pixel's class, and the first two pixels as features."""
    return fake_model(
        "cnn",
        serving_default=lambda images: {"class_index": images[:, 0, 0, 0].astype(np.int32)},
        activations=lambda images: {"dense": images[:, 0, :2, 0], "logits": images[:, 0, :5, 0]},
    )


def test_samples_are_counted_and_held_against_real_images() -> None:
    generator = np.random.default_rng(0)
    real = generator.integers(0, 10, (4_000, 28, 28, 1)).astype(np.float32)
    samples = real.copy()
    samples[:, 0, 0, 0] = np.where(samples[:, 0, 0, 0] == 7, 3, samples[:, 0, 0, 0])
    samples[:, 0, 1, 0] += 5

    model = classifier()
    same = measure_samples(model, real, features(model, real))
    other = measure_samples(model, samples, features(model, real))

    assert same.distance == pytest.approx(0, abs=1e-6)
    assert other.distance == pytest.approx(5**2, rel=0.05)
    np.testing.assert_allclose(same.shares, np.bincount(real[:, 0, 0, 0].astype(int)) / 4_000)
    assert other.shares[7] == 0
    assert other.shares[3] == pytest.approx(same.shares[3] + same.shares[7])
