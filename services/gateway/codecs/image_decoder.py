"""Decodes image files into the arrays that a model takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from services.gateway.codecs.image_files import jpeg, png
from services.gateway.codecs.image_files.bounds import OutOfTime, TooCostly
from services.gateway.codecs.image_files.decoding_process import (
    ISOLATED_FORMATS,
    DecodingProcess,
    IsolatedImage,
    UnknownFormat,
)
from services.gateway.codecs.image_files.opened_image import LARGE_PIXELS, OpenedImage, Target
from services.gateway.request.errors import (
    ContentTooLarge,
    DeadlineExceeded,
    InvalidRequest,
    Problem,
)
from services.serving_api.dtypes import DTYPES
from services.serving_api.signatures import Signature, TensorSpec

FORMATS = ("PNG", "JPEG", *ISOLATED_FORMATS)
"""Supported file formats."""

_MAX_PIXELS_IN_PYTHON = 250_000
"""Limit for formats that Pillow decodes in Python: QOI, and rare variants of PPM, BMP and SGI."""

_large_images = threading.Lock()
"""Held while a large image is decoded, since decoding may take 20 bytes per pixel."""

_process = DecodingProcess()

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class ImageFile(NamedTuple):
    """An uploaded file.

    Attributes:
        name: name of the file, or None if the client sent none.
        content: content of the file.
    """

    name: str | None
    content: bytes


class DecodingLimits(NamedTuple):
    """Limits on the images of one request.

    Attributes:
        max_pixels: limit for each file; also for all images together after scaling.
        max_total_pixels: limit for all files together before scaling.
        deadline: when decoding must end, by `time.monotonic`.
    """

    max_pixels: int
    max_total_pixels: int
    deadline: float


@dataclass(frozen=True)
class ImageSpec:
    """The images that an input takes.

    Attributes:
        height: number of rows; None for any.
        width: number of columns; None for any.
        channels: 1 for grey, 3 for RGB, 4 for RGBA.
        dtype: dtype of the values, which range from 0 to 255.
        shape_tail: the dimensions after rows and columns: `(channels,)` or `()`.
    """

    height: int | None
    width: int | None
    channels: int
    dtype: np.dtype[Any]
    shape_tail: tuple[int, ...]


def find_image_input(signature: Signature) -> tuple[str, ImageSpec]:
    """Returns the name of the input that takes images, and its spec.

    It is the input named `images`, or else the only input, with the shape [N, height, width] or
    [N, height, width, channels].

    Raises:
        InvalidRequest: the signature takes no images.
    """
    inputs = signature.inputs
    name = "images" if "images" in inputs else next(iter(inputs), "")
    spec = image_spec(inputs[name]) if name == "images" or len(inputs) == 1 else None
    if spec is None:
        takes = {name: str(tensor) for name, tensor in sorted(inputs.items())}
        raise InvalidRequest(
            f"received an image, but this signature takes {takes} and no images: send JSON with "
            "'instances' or 'inputs'"
        )
    return name, spec


def takes_images(signature: Signature) -> bool:
    """Returns whether a signature takes images and nothing else.

    Numbers [N, any, C] are taken for sequences.
    """
    specs = [image_spec(tensor) for tensor in signature.inputs.values()]
    match specs:
        case [ImageSpec(height=height, width=width, shape_tail=tail)]:
            return bool(tail or (height and width))
    return False


def image_spec(tensor: TensorSpec) -> ImageSpec | None:
    """Returns the images that a tensor holds; None if its shape or its dtype does not fit."""
    dtype = DTYPES[tensor.data_type].numpy if tensor.data_type in DTYPES else np.dtype(object)
    if tensor.shape is None or len(tensor.shape) not in {3, 4} or dtype.kind not in "fiu":
        return None
    _, height, width, *tail = tensor.shape
    channels = tail[0] if tail else 1
    if channels not in _MODES:
        return None
    return ImageSpec(height, width, channels, dtype, (channels,) if tail else ())


def decode_images(
    files: Sequence[ImageFile],
    signature: Signature,
    limits: DecodingLimits,
    *,
    invert: bool = False,
) -> tuple[str, npt.NDArray[Any]]:
    """Decodes the files of a request into one batch for a signature.

    Args:
        files: the files.
        signature: the signature that takes the images.
        limits: limits on pixels and time.
        invert: whether to invert the colours.

    Returns:
        The input's name, and the images, [N, H, W, C] or [N, H, W].

    Raises:
        InvalidRequest: the signature takes no images, a file cannot be decoded, or the images
            differ in size and the model takes any size.
        ContentTooLarge: one image, or all together, have too many pixels.
        DeadlineExceeded: decoding took until the request's deadline.
    """
    name, spec = find_image_input(signature)
    max_pixels, max_total_pixels, deadline = limits
    decoder = ImageDecoder(spec, max_pixels, max_total_pixels, invert)
    arrays: list[npt.NDArray[Any]] = []
    pixels = 0
    for file in files:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise DeadlineExceeded
        try:
            arrays.append(decoder.decode(file.content, seconds))
        except (InvalidRequest, ContentTooLarge) as error:
            raise type(error)(f"{file.name or 'the body'}: {error.description}") from error
        pixels += arrays[-1].shape[0] * arrays[-1].shape[1]
        if pixels > max_pixels:
            raise ContentTooLarge(
                f"received {len(files)} images, which have more than {max_pixels} pixels when "
                "scaled to the model's size: send fewer in one request"
            )
    if len({array.shape for array in arrays}) > 1:
        raise InvalidRequest(
            f"received images of the shapes {sorted({array.shape for array in arrays})}, and "
            "this model takes any size: send images of one size, or one image per request"
        )
    # A single image is not copied.
    return name, np.stack(arrays) if len(arrays) > 1 else arrays[0][None]


class ImageDecoder:
    """Decodes the image files of one request and converts them to what a model takes.

    An image is turned upright by its EXIF orientation, its transparent pixels become 0, and it is
    converted to the model's colours and size; both sides are scaled independently.

    Args:
        spec: the images that the model takes.
        max_pixels: limit for each file, width times height, checked by its header alone. A JPEG may
            have 4 times as many if the model's size is fixed, since it is decoded at a reduced
            scale.
        max_total_pixels: limit for all files together, as they are decoded.
        invert: whether to invert the colours; transparent pixels still become 0.
    """

    def __init__(
        self, spec: ImageSpec, max_pixels: int, max_total_pixels: int, invert: bool = False
    ) -> None:
        self._spec = spec
        # Transparent pixels become 0, so they must be white if the image is inverted afterwards.
        ground = "white" if invert else "black"
        self._target = Target(_MODES[spec.channels], spec.width, spec.height, ground, max_pixels)
        self._max_total_pixels = max_total_pixels
        self._invert = invert
        self._pixels = 0

    def decode(self, content: bytes, seconds: float) -> npt.NDArray[Any]:
        """Decodes a file.

        Args:
            content: a file of one of `FORMATS`; of an animation, the first frame is decoded.
            seconds: time until the deadline.

        Returns:
            An array with the dtype and shape of the spec, [H, W, C] or [H, W], 0 to 255.

        Raises:
            InvalidRequest: the file is not an image, or is damaged.
            ContentTooLarge: the image, or all together, have too many pixels, or decoding it would
                take too much memory or time.
            DeadlineExceeded: the deadline has passed.
        """
        deadline = time.monotonic() + seconds
        try:
            with (
                _open(content, deadline, self._target) as image,
                _turn(self._admit(image), deadline),
            ):
                picture = image.decode(self._target)
        except Problem:
            raise
        except OutOfTime:
            raise DeadlineExceeded from None
        except TooCostly as error:
            raise ContentTooLarge(
                f"received an image of {len(content)} bytes that costs too much to decode: {error}"
            ) from None
        except UnknownFormat:
            raise InvalidRequest(
                f"received {len(content)} bytes that start with {content[:8]!r}, expected an image "
                f"({', '.join(FORMATS)})"
            ) from None
        # For damaged data, Pillow's decoders raise almost any exception.
        except Exception as error:
            raise InvalidRequest(
                f"received an image of {len(content)} bytes that cannot be decoded ({error}), "
                "expected a complete file: send it again, or save it as PNG or JPEG"
            ) from error
        pixels = np.asarray(picture, self._spec.dtype)
        shaped = pixels.reshape(*pixels.shape[:2], *self._spec.shape_tail)
        return inverted(shaped) if self._invert else shaped

    def _admit(self, image: OpenedImage | IsolatedImage) -> int:
        """Checks an image against the limits, and returns how many pixels it holds in memory."""
        pixels, most = image.width * image.height, self._target.max_pixels
        if image.in_python:
            most = min(most, _MAX_PIXELS_IN_PYTHON)
        if pixels > most:
            advice = "this format is slow to decode, send a PNG" if image.in_python else ""
            raise ContentTooLarge(
                f"received an image of {image.width} x {image.height} = {pixels} pixels "
                f"({image.format}), expected at most {most}: {advice or 'send a smaller one'}"
            )
        self._pixels += image.held_pixels
        if self._pixels > self._max_total_pixels:
            raise ContentTooLarge(
                f"this and the images before it have {self._pixels} pixels, expected at most "
                f"{self._max_total_pixels} in one request: send fewer or smaller ones, or raise "
                "LECTERN_MAX_REQUEST_PIXELS"
            )
        return image.held_pixels


def _open(
    content: bytes, deadline: float, target: Target
) -> AbstractContextManager[OpenedImage | IsolatedImage]:
    if content.startswith(png.SIGNATURE):
        return nullcontext(png.open_png(content, deadline))
    if content.startswith(jpeg.SIGNATURE):
        return nullcontext(jpeg.open_jpeg(content, deadline, target))
    return _process.open(content, deadline, target)


def _turn(pixels: int, deadline: float) -> AbstractContextManager[None]:
    """Waits until no other large image is being decoded."""
    return _turn_of_large(deadline) if pixels > LARGE_PIXELS else nullcontext()


@contextmanager
def _turn_of_large(deadline: float) -> Iterator[None]:
    if not _large_images.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise OutOfTime
    try:
        yield
    finally:
        _large_images.release()


def inverted(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Returns an image with inverted colours and unchanged opacity.

    Args:
        pixels: [..., C] with 1, 3 or 4 channels, or without that dimension; 0 to 255.
    """
    if pixels.shape[-1] != 4:
        return 255 - pixels
    return np.concatenate([255 - pixels[..., :3], pixels[..., 3:]], axis=-1)
