from __future__ import annotations

import numpy as np
import pytest

from training.architectures.linear import build_linear


def test_it_is_one_matrix_and_one_bias_over_scaled_pixels(images: np.ndarray) -> None:
    model = build_linear("line")
    generator = np.random.default_rng(0)
    kernel, bias = generator.normal(size=(784, 10)), generator.normal(size=10)
    model.get_layer("logits").set_weights([kernel, bias])

    expected = images.reshape(5, 784) / 255 @ kernel + bias
    np.testing.assert_allclose(model(images), expected, rtol=1e-4, atol=1e-4)


def test_l2_adds_the_squared_weights_to_the_loss() -> None:
    model = build_linear("line", l2=0.5)
    model.get_layer("logits").kernel.assign(np.full((784, 10), 0.1))

    assert float(sum(model.losses)) == pytest.approx(0.5 * 7_840 * 0.01)
