"""Saliency as a picture: where the class comes from, in red over the image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

SIDE = 280
"""Pixels that the longer side of a picture has at least."""

_HEAT = (255, 0, 0)


def overlay(image: npt.NDArray[Any], attribution: npt.NDArray[np.floating]) -> Image.Image:
    """Lay a heat map over the image that it explains.

    The normalised magnitude of the attribution is the opacity of a red layer, which is blurred by
    one pixel of the image and composited over it. The image is magnified by a whole number.

    Args:
        image: what the model saw, [H, W, C] with 1, 3 or 4 channels, or [H, W]; 0 to 255.
        attribution: [H, W], any sign and scale.

    Returns:
        An RGB picture, its longer side at least `SIDE` pixels.
    """
    height, width = attribution.shape
    zoom = -(-SIDE // max(height, width))
    size = (width * zoom, height * zoom)
    picture = to_picture(image).resize(size, Image.Resampling.NEAREST)
    opacity = Image.fromarray(np.rint(255 * _normalised_magnitude(attribution)).astype(np.uint8))
    # Blurred after magnifying, so that the heat has no edges of its own.
    mask = opacity.resize(size, Image.Resampling.NEAREST).filter(ImageFilter.GaussianBlur(zoom))
    return Image.composite(Image.new("RGB", size, _HEAT), picture, mask)


def to_picture(image: npt.NDArray[Any]) -> Image.Image:
    """Turn what a model takes, 0 to 255, into an RGB picture; opacity is left out."""
    pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    grey = pixels.ndim == 2 or pixels.shape[-1] == 1
    return Image.fromarray(
        pixels.reshape(pixels.shape[:2]) if grey else np.ascontiguousarray(pixels[..., :3])
    ).convert("RGB")


def _normalised_magnitude(attribution: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    magnitude: npt.NDArray[np.floating] = np.abs(np.nan_to_num(attribution, posinf=0.0, neginf=0.0))
    peak = magnitude.max(initial=0.0)
    return magnitude / peak if peak > 0 else magnitude
