"""An opened image file, and the conversion of its pixels to the model's mode and size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

LARGE_PIXELS = 1_000_000
"""Larger images are decoded one at a time, and their deadline is checked during decoding."""

_UPRIGHT_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that turns an image of each EXIF orientation upright."""

_LAB_TO_RGB = ImageCms.buildTransform(
    ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
)
_MOST_OF_ONE = 16.0
"""Floats up to this are treated as a scale from 0 to 1 with a few highlights above it."""


@dataclass(frozen=True)
class Target:
    """Mode and size of a decoded image.

    Attributes:
        mode: L, RGB or RGBA.
        width: number of columns; None for those of the file.
        height: number of rows; None for those of the file.
        ground: background colour for transparent pixels.
        max_pixels: maximum number of decoded pixels.
    """

    mode: str
    width: int | None
    height: int | None
    ground: str
    max_pixels: int


class OpenedImage:
    """A file whose header has been read, and whose pixels have not been decoded yet.

    Args:
        image: the image that Pillow opened.
        held_pixels: number of pixels in memory while it is decoded.
        orientation: EXIF orientation, 1 to 8.
        zero_is_white: whether small numbers are light, for the modes in which Pillow ignores that.
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
        """Whether Pillow decodes it in Python, at one to two seconds per million pixels."""
        self._image = image
        self._orientation = orientation
        self._zero_is_white = zero_is_white

    def decode(self, target: Target) -> Image.Image:
        """Decodes the file.

        Raises:
            OutOfTime: the deadline passed.
            Exception: any exception that Pillow raises for damaged data.
        """
        self._image.load()
        image = _to_common_mode(self._image, self._zero_is_white)
        if self._orientation in _UPRIGHT_BY:
            image = image.transpose(_UPRIGHT_BY[self._orientation])
        converted = _on_ground(image, target.ground)
        if converted.mode != target.mode:
            converted = converted.convert(target.mode)
        size = (target.width or converted.width, target.height or converted.height)
        if converted.size == size:
            return converted
        return converted.resize(size, Image.Resampling.BILINEAR)


def _to_common_mode(image: Image.Image, zero_is_white: bool) -> Image.Image:
    """Converts modes that Pillow's own conversion rejects (Lab) or clips at 255 (wide greys).

    Wide greys have 16 bits, or are floats: from 0 to 255 if a value is above 16, else from 0 to 1.
    """
    if image.mode == "LAB":
        return ImageCms.applyTransform(image, _LAB_TO_RGB) or image
    if image.mode not in {"F", "I"} and not image.mode.startswith("I;16"):
        return image
    # In place and in 32 bits to save memory, since the image may have the maximum size.
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
    """Composites an image with transparency over a background colour."""
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    laid = Image.new("RGB", layer.size, ground)
    laid.paste(layer, mask=layer)
    return laid
