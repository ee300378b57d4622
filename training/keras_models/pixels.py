"""The pixel range that a network expects, as layers in front of it.

Clients send images from 0 to 255; the network may have been trained on another range.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from training.errors import KerasModelError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)  # Blue, green, red.

Layers = Callable[[keras.KerasTensor], keras.KerasTensor]


class PixelRange(NamedTuple):
    """A pixel range.

    Attributes:
        layers: Converts images from 0 to 255 into the range.
        to_images: Converts images of the range back, clipped to 0 to 255; None for ranges in which
            networks do not output images.
    """

    layers: Layers
    to_images: Layers | None = None


@keras.saving.register_keras_serializable("lectern")
class ReversedChannels(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types.
    """Converts RGB to BGR."""

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Returns the images with the order of their channels reversed."""
        return keras.ops.flip(images, axis=-1)


def _unchanged(images: keras.KerasTensor) -> keras.KerasTensor:
    return images


def _clipped(images: keras.KerasTensor) -> keras.KerasTensor:
    return keras.ops.clip(images, 0.0, 255.0)


def _linear(scale: float, offset: float = 0.0) -> PixelRange:
    return PixelRange(
        # A layer of its own for each model.
        lambda images: keras.layers.Rescaling(scale, offset, name="pixels")(images),  # noqa: PLW0108
        lambda pixels: keras.ops.clip((pixels - offset) / scale, 0.0, 255.0),
    )


def _normalized(images: keras.KerasTensor) -> keras.KerasTensor:
    _check_channels(images, "imagenet")
    mean, deviation = 255 * np.array(IMAGENET_MEAN), 255 * np.array(IMAGENET_DEVIATION)
    return keras.layers.Normalization(mean=mean, variance=deviation**2, name="pixels")(images)


def _caffe(images: keras.KerasTensor) -> keras.KerasTensor:
    _check_channels(images, "caffe")
    reversed_channels = ReversedChannels(name="bgr")(images)
    ones = np.ones(3)
    return keras.layers.Normalization(mean=CAFFE_MEAN, variance=ones, name="pixels")(
        reversed_channels
    )


def _check_channels(images: keras.KerasTensor, name: str) -> None:
    if images.shape[-1] != 3:
        raise KerasModelError(
            f"--pixels {name} is for images of 3 channels; this model takes {images.shape[-1]}."
        )


RANGES: dict[str, PixelRange] = {
    "0..255": PixelRange(_unchanged, _clipped),
    "0..1": _linear(1 / 255),
    "-1..1": _linear(1 / 127.5, -1.0),
    "imagenet": PixelRange(_normalized),
    "caffe": PixelRange(_caffe),
}
"""Pixel ranges by their names in `--pixels`. `imagenet` is the mode that Keras calls `torch`."""

_FAMILIES = {
    "0..255": ("convnext", "efficientnet", "efficientnet_v2", "mobilenet_v3"),
    "-1..1": (
        "inception_resnet_v2",
        "inception_v3",
        "mobilenet",
        "mobilenet_v2",
        "nasnet",
        "resnet_v2",
        "xception",
    ),
    "imagenet": ("densenet",),
    "caffe": ("resnet", "vgg16", "vgg19"),
}
"""Pixel range of each module of keras.applications, as in its `preprocess_input`."""


def find_pixels(model: keras.Model, asked: str | None, family: str | None) -> PixelRange:
    """Returns the pixel range that a model was trained on.

    Args:
        model: A model that takes images.
        asked: The `--pixels` option: name of a range, or of a family of keras.applications.
        family: The family of keras.applications that the model comes from.

    Raises:
        KerasModelError: The range is unknown, or neither the option nor the model says which it is.
    """
    name = asked or family
    if name is not None:
        return RANGES[_range_of(name)]
    if _rescales_itself(model):
        return RANGES["0..255"]
    raise KerasModelError(
        "The file does not say which pixel range the network was trained on, and the model has no "
        "Rescaling or Normalization layer of its own. Name the range: --pixels "
        f"{', '.join(RANGES)}, or the name of a keras.applications family such as resnet."
    )


def _range_of(name: str) -> str:
    if name in RANGES:
        return name
    for known, families in _FAMILIES.items():
        if name in families:
            return known
    families = tuple(sorted(family for names in _FAMILIES.values() for family in names))
    raise KerasModelError(
        f"Received --pixels {name}; expected one of {', '.join(RANGES)}, or of the families "
        f"{', '.join(families)}."
    )


def _rescales_itself(model: keras.Model) -> bool:
    first = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)][:2]
    return any(
        isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization)
        or (isinstance(layer, keras.Model) and _rescales_itself(layer))
        for layer in first
    )
