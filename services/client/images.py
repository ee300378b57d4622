"""Converts images in memory to the files that the gateway takes, and its answers to arrays."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageOps

Pixels = npt.NDArray[np.uint8]
"""Grayscale [H, W], or colors [H, W, 3]."""

Image = str | os.PathLike[str] | bytes | npt.NDArray[Any] | PIL.Image.Image
"""A path, the content of an image file, a uint8 array [H, W] or [H, W, C], or a Pillow image."""

Images = Image | Iterable[Image]
"""One image or several; an array [N, H, W, C] holds several."""

_CHANNELS = (1, 3, 4)
_PNG_MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}


def to_files(images: Images) -> list[tuple[str, bytes]]:
    """Returns the name and the content of a file for each image.

    Raises:
        OSError: a path cannot be read.
        TypeError: an object is not an image.
        ValueError: an array does not hold the pixels of an image.
    """
    if isinstance(images, str | os.PathLike | bytes | PIL.Image.Image):
        return [_to_file(images)]
    if isinstance(images, np.ndarray):
        return [_to_file(image) for image in (images if images.ndim == 4 else [images])]
    if isinstance(images, Iterable):
        return [_to_file(image) for image in images]
    raise _not_an_image(images)


def to_pixels(member: dict[str, str]) -> Pixels:
    """Returns the pixels of an image file in a JSON answer, `{"b64": "…"}`."""
    with PIL.Image.open(io.BytesIO(base64.b64decode(member["b64"]))) as image:
        return np.asarray(image)


def _to_file(image: Image) -> tuple[str, bytes]:
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        return path.name, path.read_bytes()
    if isinstance(image, bytes):
        return "image", image
    if isinstance(image, np.ndarray):
        return "array.png", _to_png(_from_array(image))
    if isinstance(image, PIL.Image.Image):
        upright = PIL.ImageOps.exif_transpose(image)
        return "image.png", _to_png(
            upright if upright.mode in _PNG_MODES else upright.convert("RGB")
        )
    raise _not_an_image(image)


def _from_array(array: npt.NDArray[Any]) -> PIL.Image.Image:
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in _CHANNELS)
    if array.dtype != np.uint8 or not is_image:
        raise ValueError(
            f"received an array {array.dtype}{list(array.shape)}, expected uint8 [H, W] or "
            "[H, W, C] with 1, 3 or 4 channels and values from 0 to 255"
        )
    return PIL.Image.fromarray(array[..., 0] if array.shape[2:] == (1,) else array)


def _to_png(image: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _not_an_image(value: object) -> TypeError:
    return TypeError(
        f"received {type(value).__name__} as an image, expected a path, bytes, a NumPy array, "
        "or a Pillow image"
    )
