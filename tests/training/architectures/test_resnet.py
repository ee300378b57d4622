from __future__ import annotations

from keras import layers

from training.architectures.resnet import build_resnet


def test_it_is_resnet_20() -> None:
    model = build_resnet()

    main_path = [
        layer
        for layer in model.layers
        if isinstance(layer, layers.Conv2D | layers.Dense) and "shortcut" not in layer.name
    ]
    assert len(main_path) == 20
    # He et al. 2015, table 6: 0.27 million parameters.
    assert 0.27e6 < model.count_params() < 0.28e6


def test_each_stage_but_the_first_halves_the_image_and_doubles_the_channels() -> None:
    model = build_resnet()

    outputs = [model.get_layer(f"stage{stage}_block3_relu2").output for stage in (1, 2, 3)]
    assert [tuple(output.shape) for output in outputs] == [
        (None, 28, 28, 16),
        (None, 14, 14, 32),
        (None, 7, 7, 64),
    ]
