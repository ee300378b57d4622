from __future__ import annotations

import numpy as np

from training.architectures.autoencoder import build_autoencoder, build_linear_autoencoder


def test_its_code_is_32_numbers() -> None:
    model = build_autoencoder()

    assert model.get_layer("encoder").output_shape == (None, 32)
    assert model.get_layer("decoder").input_shape == (None, 32)
    assert model.output_shape == (None, 28, 28, 1)
    assert model.count_params() == 222_384


def test_it_restores_images_of_grey_levels(images: np.ndarray) -> None:
    model = build_autoencoder()

    restored = model(images).numpy()

    code = model.get_layer("encoder")(images)
    np.testing.assert_array_equal(restored, model.get_layer("decoder")(code))
    assert restored.min() >= 0
    assert restored.max() <= 255
    # Untrained, every pixel is near the middle of its range: 127.5, not 0.5.
    assert 60 < restored.mean() < 190


def test_the_linear_one_is_two_matrices_and_nothing_else(images: np.ndarray) -> None:
    model = build_linear_autoencoder()
    generator = np.random.default_rng(0)
    down, up = (
        generator.standard_normal(shape).astype(np.float32) for shape in ((784, 10), (10, 784))
    )
    model.set_weights([down, up])

    restored = model(images).numpy()

    expected = images.reshape(5, 784).astype(np.float64) @ down @ up
    np.testing.assert_allclose(restored.reshape(5, 784), expected, rtol=1e-3, atol=1)
