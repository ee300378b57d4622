from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from training.data.fashion_mnist import load_training
from training.evaluation.deep_networks import (
    VARIANTS,
    build_deep_network,
    draw_deep_networks,
    gradient_sizes,
)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_gradient_of_the_first_layer_vanishes_with_small_weights_alone(name: str) -> None:
    images = tf.constant(np.random.default_rng(0).integers(0, 256, (32, 28, 28, 1)), tf.float32)
    labels = tf.constant(np.arange(32) % 10)

    sizes = gradient_sizes(build_deep_network(VARIANTS[name]), images, labels)

    assert (sizes[0] < 1e-5) == ("small weights" in name), sizes


def test_the_figure_is_drawn(tiny_data: Path, tmp_path: Path) -> None:
    examples, _ = load_training(tiny_data)

    path = draw_deep_networks(examples, tmp_path / "figure.png", steps=12)

    assert path.stat().st_size > 10_000
