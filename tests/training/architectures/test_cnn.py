from __future__ import annotations

import numpy as np

from training.architectures.cnn import build_cnn


def test_it_is_the_courses_network() -> None:
    model = build_cnn()

    assert model.output_shape == (None, 10)
    assert model.count_params() == 93_322
    assert [layer.name for layer in model.layers if layer.weights] == [
        "conv1",
        "conv2",
        "conv3",
        "dense",
        "logits",
    ]


def test_it_scales_images_itself() -> None:
    model = build_cnn()
    model.get_layer("conv1").set_weights([np.ones((3, 3, 1, 32)), np.zeros(32)])

    scaled = model.get_layer("rescale")(np.full((1, 28, 28, 1), 255, np.float32))

    assert float(np.max(scaled)) == 1.0
