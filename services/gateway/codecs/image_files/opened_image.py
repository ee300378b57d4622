"""An opened image file, and how its pixels become those that a model takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

LARGE_PIXELS = 1_000_000
"""Images of more are decoded one at a time, and their deadline is checked while they are."""

_UPRIGHT_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How an image of each EXIF orientation is turned upright."""

_LAB_TO_RGB = ImageCms.buildTransform(
    ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
)
_MOST_OF_ONE = 16.0
"""Floats up to this are taken for a scale that ends at 1 and a few highlights."""


@dataclass(frozen=True)
class Target:
    """What an image is to become.

    Attributes:
        mode: L, RGB or RGBA.
        width: columns; None for as many as it has.
        height: rows; None for as many as it has.
        ground: the colour that lies below what is transparent.
        max_pixels: that are decoded.
    """

    mode: str
    width: int | None
    height: int | None
    ground: str
    max_pixels: int


class OpenedImage:
    """A file whose header was read, and whose pixels can be.

    Args:
        image: as Pillow opened it.
        held_pixels: how many pixels are in memory while it is decoded.
        orientation: as EXIF counts it, 1 to 8.
        zero_is_white: whether small numbers are light, in modes where Pillow does not care.
    """

    def __init__(
        self,
        image: Image.Image,
        held_pixels: int | None = None,
        orientation: int = 1,
        zero_is_white: bool = False,
    ) -> None:
        self.format = image.format
        self.width = image.width
        self.height = image.height
        self.held_pixels = image.width * image.height if held_pixels is None else held_pixels
        self.in_python = any(tile[0] in Image.DECODERS for tile in getattr(image, "tile", ()))
        """Whether Pillow decodes it in Python, which takes a second or two for a million pixels."""
        self._image = image
        self._orientation = orientation
        self._zero_is_white = zero_is_white

    def decode(self, target: Target) -> Image.Image:
        """Decodes the file.

        Raises:
            OutOfTime: the deadline passed.
            Exception: whatever Pillow raises of damaged data.
        """
        self._image.load()
        image = _to_common_mode(self._image, self._zero_is_white)
        if self._orientation in _UPRIGHT_BY:
            image = image.transpose(_UPRIGHT_BY[self._orientation])
        converted = _on_ground(image, target.ground).convert(target.mode)
        size = (target.width or converted.width, target.height or converted.height)
        if converted.size == size:
            return converted
        return converted.resize(size, Image.Resampling.BILINEAR)


def _to_common_mode(image: Image.Image, zero_is_white: bool) -> Image.Image:
    """Converts what Pillow's own conversion refuses (Lab colours) or cuts off at 255 (wide greys).

    Wide greys are 16 bits, or floats: from 0 to 1, or to 255 where one of them is above 16.
    """
    if image.mode == "LAB":
        return ImageCms.applyTransform(image, _LAB_TO_RGB) or image
    if image.mode not in {"F", "I"} and not image.mode.startswith("I;16"):
        return image
    # In place and in 32 bits, since the image may be as large as a request may send.
    values = np.array(image, np.float32)
    np.nan_to_num(values, copy=False)
    if image.mode != "F":
        values *= np.float32(255 / 65535)
    elif values.max() <= _MOST_OF_ONE:
        values *= np.float32(255)
    np.rint(values.clip(0, 255, out=values), out=values)
    greys = values.astype(np.uint8)
    return Image.fromarray(255 - greys if zero_is_white else greys)


def _on_ground(image: Image.Image, ground: str) -> Image.Image:
    """Lays an image with transparency over a colour."""
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    laid = Image.new("RGB", layer.size, ground)
    laid.paste(layer, mask=layer)
    return laid
