from __future__ import annotations

import numpy as np

from training.architectures.efficientnet_lite import build_efficientnet_lite0


def test_it_has_the_published_size() -> None:
    """4,652,008 parameters with batch normalization, which has two for each channel, less here."""
    model = build_efficientnet_lite0()
    channels = sum(layer.bias.shape[0] for layer in model.layers if layer.weights)

    assert model.output_shape == (None, 1000)
    assert model.count_params() + channels - 1000 == 4_652_008


def test_blocks_halve_the_image_five_times() -> None:
    model = build_efficientnet_lite0((64, 64, 3), class_count=7)

    assert model.get_layer("head").output.shape == (None, 2, 2, 1280)
    assert model(np.zeros((2, 64, 64, 3))).shape == (2, 7)


def test_blocks_of_one_shape_add_their_input() -> None:
    added = [layer.name for layer in build_efficientnet_lite0().layers if "_add" in layer.name]

    assert len(added) == 9
    assert "stage3_block2_add" in added
    assert "stage3_block1_add" not in added
