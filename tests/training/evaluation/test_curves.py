from __future__ import annotations

from pathlib import Path

import numpy as np

from training.evaluation.curves import (
    ACTIVATIONS,
    CLASSIFICATION,
    REGRESSION,
    activation_values,
    draw_curves,
    loss_values,
)

X = np.float32([-2, -0.5, 0, 0.5, 2])


def test_activations_are_those_of_the_textbook() -> None:
    expected = {
        "sigmoid": 1 / (1 + np.exp(-X)),
        "tanh": np.tanh(X),
        "relu": np.maximum(0, X),
        "elu": np.where(X > 0, X, np.exp(X) - 1),
    }

    assert expected.keys() <= set(ACTIVATIONS)
    for name, values in expected.items():
        np.testing.assert_allclose(activation_values(name, X), values, rtol=1e-5)


def test_losses_are_those_of_the_textbook() -> None:
    def values(make: object, target: float) -> np.ndarray:
        return loss_values(make(reduction=None), target, X)

    np.testing.assert_allclose(values(REGRESSION["squared error"], 0), X**2)
    np.testing.assert_allclose(values(REGRESSION["absolute"], 0), np.abs(X))
    np.testing.assert_allclose(values(CLASSIFICATION["hinge"], 1), np.maximum(0, 1 - X))
    cross_entropy = np.log1p(np.exp(-X))
    np.testing.assert_allclose(values(CLASSIFICATION["cross-entropy"], 1), cross_entropy, rtol=1e-5)


def test_the_figure_is_drawn(tmp_path: Path) -> None:
    assert draw_curves(tmp_path / "figure.png").stat().st_size > 10_000
