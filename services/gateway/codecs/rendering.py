"""Renders arrays as pictures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 280
"""Minimum length of a picture's longer side, in pixels."""


def to_picture(image: npt.NDArray[Any]) -> Image.Image:
    """Returns an image of a model, 0 to 255, as a picture without its opacity.

    Args:
        image: [H, W, C] with 1, 3 or 4 channels, or [H, W].

    Returns:
        A picture of the same size, grey or in colour.
    """
    pixels = np.rint(np.clip(np.nan_to_num(image), 0, 255)).astype(np.uint8)
    grey = pixels.ndim == 2 or pixels.shape[-1] == 1
    return Image.fromarray(
        pixels.reshape(pixels.shape[:2]) if grey else np.ascontiguousarray(pixels[..., :3])
    )


def channel_pictures(activation: npt.NDArray[Any]) -> list[Image.Image]:
    """Returns the output of a layer for one image as grey pictures.

    The smallest number of the layer is black and the largest is white, in all channels alike, so
    that channels can be compared.

    Args:
        activation: feature maps [h, w, C], which become one picture per channel; a sequence [T, C],
            which becomes one picture; or a vector [C], whose numbers fill a square row by row.

    Raises:
        ValueError: the array has another number of dimensions.
    """
    grey = _stretch(activation.astype(np.float64))
    match grey.ndim:
        case 1:
            side = math.ceil(math.sqrt(len(grey)))
            return [to_picture(np.pad(grey, (0, side * side - len(grey))).reshape(side, side))]
        case 2:
            return [to_picture(grey)]
        case 3:
            return [to_picture(channel) for channel in np.moveaxis(grey, -1, 0)]
    raise ValueError(f"received an array of {grey.ndim} dimensions, expected 1, 2 or 3")


def magnify(picture: Image.Image, side: int) -> Image.Image:
    """Enlarges a picture by an integer factor, to a longer side of at least `side` pixels."""
    zoom = zoom_to(side, picture.size)
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)


def zoom_to(side: int, size: tuple[int, int]) -> int:
    """Returns the integer factor that makes the longer side of a picture at least `side`."""
    return max(1, math.ceil(side / max(size)))


def _stretch(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Scales numbers to 0 to 255; NaN and infinity count as 0, and equal numbers become 0."""
    finite: npt.NDArray[np.float64] = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    low, high = finite.min(initial=np.inf), finite.max(initial=-np.inf)
    if not high > low:
        return np.zeros_like(finite)
    # Halved first, since the range of the largest floats would overflow.
    stretched: npt.NDArray[np.float64] = (finite / 2 - low / 2) / (high / 2 - low / 2)
    return 255 * stretched
