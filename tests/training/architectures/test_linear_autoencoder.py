from __future__ import annotations

import numpy as np

from training.architectures.linear_autoencoder import build_linear_autoencoder


def test_it_is_two_matrices_and_nothing_else(images: np.ndarray) -> None:
    model = build_linear_autoencoder()
    generator = np.random.default_rng(0)
    down, up = (
        generator.standard_normal(shape).astype(np.float32) for shape in ((784, 10), (10, 784))
    )
    model.set_weights([down, up])

    restored = model(images).numpy()

    expected = images.reshape(5, 784).astype(np.float64) @ down @ up
    np.testing.assert_allclose(restored.reshape(5, 784), expected, rtol=1e-3, atol=1)
