"""Saliency maps as pictures: the attribution in red over the image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from services.gateway.codecs.rendering import SIDE, to_picture, zoom_to

_HEAT = (255, 0, 0)


def overlay(image: npt.NDArray[Any], attribution: npt.NDArray[np.floating]) -> Image.Image:
    """Returns an image with a heat map over it.

    The image is enlarged by an integer factor. The heat map is a red layer whose opacity is the
    magnitude of the attribution, blurred by one pixel of the original image and normalised.

    Args:
        image: the model's input, [H, W, C] with 1, 3 or 4 channels, or [H, W]; 0 to 255.
        attribution: [H, W], any sign and scale.

    Returns:
        An RGB picture whose longer side is at least `SIDE` pixels.
    """
    height, width = attribution.shape
    zoom = zoom_to(SIDE, (width, height))
    size = (width * zoom, height * zoom)
    picture = to_picture(image).convert("RGB").resize(size, Image.Resampling.NEAREST)
    magnitude = Image.fromarray(_eight_bits(np.abs(attribution)))
    # Blurred after enlarging, so that the enlarged pixels show no edges.
    heat = magnitude.resize(size, Image.Resampling.NEAREST).filter(ImageFilter.GaussianBlur(zoom))
    # Normalised last, since the blur makes a single strong pixel too faint to see.
    opacity = Image.fromarray(_eight_bits(np.asarray(heat, np.float32)))
    return Image.composite(Image.new("RGB", size, _HEAT), picture, opacity)


def _eight_bits(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Scales non-negative values so that the largest is 255; NaN and infinity count as 0."""
    finite: npt.NDArray[np.floating] = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    peak = finite.max(initial=0.0)
    scaled: npt.NDArray[np.floating] = np.rint(255 * (finite / peak if peak > 0 else finite))
    return scaled.astype(np.uint8)
