from __future__ import annotations

import numpy as np

from training.architectures.vae import VariationalAutoencoder
from training.architectures.vae_conv import build_vae_conv


def test_it_is_trained_like_the_dense_one_in_as_many_dimensions(images: np.ndarray) -> None:
    model = build_vae_conv()

    assert isinstance(model, VariationalAutoencoder)
    mean, log_variance = model.encoder(images)
    assert mean.shape == log_variance.shape == (5, 20)
    restored = model(images).numpy()
    assert restored.shape == images.shape
    assert restored.min() >= 0
    assert restored.max() <= 255
