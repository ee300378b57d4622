"""Arrays as pictures that people can look at."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 280
"""Pixels that the longer side of what people look at has at least."""


def to_picture(image: npt.NDArray[Any]) -> Image.Image:
    """Turn what a model takes or makes, 0 to 255, into a picture; opacity is left out.

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
    """Turn what a layer makes of one image into grey pictures.

    The smallest number of the layer is black and the largest white, the same in every channel, so
    that channels can be compared.

    Args:
        activation: feature maps [h, w, C], which become one picture a channel; a sequence [T, C],
            which becomes one picture; or a vector [C], whose numbers fill a square row by row.

    Raises:
        ValueError: it has another number of dimensions.
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
    raise ValueError(f"an array of {grey.ndim} dimensions is no picture")


def magnify(picture: Image.Image, side: int) -> Image.Image:
    """Enlarge a picture by a whole number, so that its longer side has at least so many pixels."""
    zoom = zoom_to(side, picture.size)
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)


def zoom_to(side: int, size: tuple[int, int]) -> int:
    """Return the whole number by which the longer side of a picture becomes at least `side`."""
    return max(1, math.ceil(side / max(size)))


def _stretch(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Scale numbers to 0 to 255; what is not finite counts as 0, and equal numbers are black."""
    finite: npt.NDArray[np.float64] = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    low, high = finite.min(initial=np.inf), finite.max(initial=-np.inf)
    if not high > low:
        return np.zeros_like(finite)
    # Halved first, since the span of the largest floats is itself no float.
    stretched: npt.NDArray[np.float64] = (finite / 2 - low / 2) / (high / 2 - low / 2)
    return 255 * stretched
