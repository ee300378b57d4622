"""Image files to the arrays that a model takes."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PcxImagePlugin import PcxImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.QoiImagePlugin import QoiImageFile
from PIL.SgiImagePlugin import SgiImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from services.gateway.request.deadline import out_of_time
from services.gateway.request.errors import ContentTooLarge, InvalidRequest, Problem
from services.serving_api.dtypes import DTYPES
from services.serving_api.signatures import Signature, TensorSpec

# Importing a plugin registers its format. Left out are those that run another program (EPS), whose
# header does not tell how large the image in them is (ICO, ICNS), and that any file might be (TGA).
FORMATS = tuple(
    str(plugin.format)
    for plugin in (
        PngImageFile,
        JpegImageFile,
        WebPImageFile,
        GifImageFile,
        BmpImageFile,
        TiffImageFile,
        AvifImageFile,
        PpmImageFile,
        Jpeg2KImageFile,
        PcxImageFile,
        QoiImageFile,
        SgiImageFile,
    )
)
"""What is decoded."""

_MAX_PIXELS_IN_PYTHON = 250_000
"""Of what Pillow decodes in Python, a second or two for a million pixels while other requests wait:
QOI, and rare variants of PPM, BMP and SGI."""

_LARGE_PIXELS = 1_000_000
_large_images = threading.Lock()
"""One at a time in a process: while it is decoded, an image may take 20 bytes a pixel."""

_LAB_TO_RGB = ImageCms.buildTransform(
    ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
)
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class ImageSpec:
    """What an image input takes.

    Attributes:
        height: rows; None where any number will do.
        width: columns; None where any number will do.
        channels: 1 for grey, 3 for colour, 4 for colour with opacity.
        dtype: of the values, which run from 0 to 255.
        shape_tail: the dimensions that follow rows and columns: `(channels,)` or none.
    """

    height: int | None
    width: int | None
    channels: int
    dtype: np.dtype[Any]
    shape_tail: tuple[int, ...]


def find_image_input(signature: Signature) -> tuple[str, ImageSpec]:
    """Return the name of the input that takes images, and what it takes.

    That is the one called `images`, or else the only input, of the shape [N, height, width] or
    [N, height, width, channels].

    Raises:
        InvalidRequest: the signature takes no images.
    """
    inputs = signature.inputs
    name = "images" if "images" in inputs else next(iter(inputs), "")
    spec = _image_spec(inputs[name]) if name == "images" or len(inputs) == 1 else None
    if spec is None:
        takes = {name: str(tensor) for name, tensor in sorted(inputs.items())}
        raise InvalidRequest(
            f"received an image, but this signature takes {takes} and no images: send JSON with "
            "'instances' or 'inputs'"
        )
    return name, spec


def _image_spec(tensor: TensorSpec) -> ImageSpec | None:
    dtype = DTYPES[tensor.data_type].numpy if tensor.data_type in DTYPES else np.dtype(object)
    if tensor.shape is None or len(tensor.shape) not in {3, 4} or dtype.kind not in "fiu":
        return None
    _, height, width, *tail = tensor.shape
    channels = tail[0] if tail else 1
    if channels not in _MODES:
        return None
    return ImageSpec(height, width, channels, dtype, (channels,) if tail else ())


class ImageDecoder:
    """Decodes the image files of one request and converts them to what a model takes.

    An image is turned upright (EXIF), its transparent parts become 0, its colours and its size
    those of the model; the sides are scaled independently.

    Args:
        spec: what the model takes.
        max_pixels: of one file, width times height; the header alone decides.
        max_total_pixels: of all files together.
        invert: whether dark becomes light; transparent parts are 0 all the same.
    """

    def __init__(
        self, spec: ImageSpec, max_pixels: int, max_total_pixels: int, invert: bool = False
    ) -> None:
        self._spec = spec
        self._max_pixels = max_pixels
        self._max_total_pixels = max_total_pixels
        self._invert = invert
        self._pixels = 0

    def decode(self, content: bytes, seconds: float) -> npt.NDArray[Any]:
        """Decode a file.

        Args:
            content: a file of one of `FORMATS`; of an animation the first frame counts.
            seconds: how long a large image may wait for others to be decoded.

        Returns:
            An array of the dtype and shape that the spec asks for, [H, W, C] or [H, W], 0 to 255.

        Raises:
            InvalidRequest: this is no image, or a damaged one.
            ContentTooLarge: the image, or all together, have too many pixels.
            ModelServerProblem: the wait was in vain, status 504.
        """
        try:
            with (
                Image.open(io.BytesIO(content), formats=FORMATS) as image,
                _turn(self._admit(image), seconds),
            ):
                return _to_array(image, self._spec, self._invert)
        except Problem:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise ContentTooLarge(f"{error} Expected at most {self._max_pixels} pixels") from None
        except UnidentifiedImageError:
            raise InvalidRequest(
                f"received {len(content)} bytes that start with {content[:8]!r}, expected an image "
                f"({', '.join(FORMATS)})"
            ) from None
        # Given damaged data, Pillow's decoders raise nearly anything.
        except Exception as error:
            raise InvalidRequest(
                f"received an image of {len(content)} bytes that cannot be decoded ({error}), "
                "expected a complete, undamaged file"
            ) from error

    def _admit(self, image: Image.Image) -> int:
        """Return how many pixels an image has, if it may have them."""
        pixels = image.width * image.height
        slow = any(tile[0] in Image.DECODERS for tile in getattr(image, "tile", ()))
        most = min(self._max_pixels, _MAX_PIXELS_IN_PYTHON) if slow else self._max_pixels
        if pixels > most:
            advice = "this kind of file takes long, send a PNG" if slow else "send a smaller one"
            raise ContentTooLarge(
                f"received an image of {image.width} x {image.height} = {pixels} pixels "
                f"({image.format}), expected at most {most}: {advice}"
            )
        self._pixels += pixels
        if self._pixels > self._max_total_pixels:
            raise ContentTooLarge(
                f"this and the images before it have {self._pixels} pixels, expected at most "
                f"{self._max_total_pixels} in one request: send fewer or smaller ones, or raise "
                "LECTERN_MAX_REQUEST_PIXELS"
            )
        return pixels


@contextmanager
def _turn(pixels: int, seconds: float) -> Iterator[None]:
    """Let large images be decoded one after the other."""
    if pixels <= _LARGE_PIXELS:
        yield
        return
    if not _large_images.acquire(timeout=seconds):
        raise out_of_time()
    try:
        yield
    finally:
        _large_images.release()


def inverted(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turn dark into light, and leave opacity as it is.

    Args:
        pixels: [..., C] with 1, 3 or 4 channels, or without that dimension; 0 to 255.
    """
    if pixels.shape[-1] != 4:
        return 255 - pixels
    return np.concatenate([255 - pixels[..., :3], pixels[..., 3:]], axis=-1)


def _to_array(image: Image.Image, spec: ImageSpec, invert: bool) -> npt.NDArray[Any]:
    mode = _MODES[spec.channels]
    if spec.height and spec.width:
        # A JPEG decoder can skip detail that scaling down would throw away; twice the size is
        # enough to keep the result smooth.
        side = 2 * max(spec.height, spec.width)
        image.draft(None, (side, side))
    upright: Image.Image = ImageOps.exif_transpose(image)
    # What is transparent counts as 0, so that it must be white before it is inverted.
    ground = "white" if invert else "black"
    converted = _on_ground(_to_common_mode(upright), ground).convert(mode)
    size = (spec.width or converted.width, spec.height or converted.height)
    if converted.size != size:
        converted = converted.resize(size, Image.Resampling.BILINEAR)
    pixels = np.asarray(converted, spec.dtype)
    shaped = pixels.reshape(*pixels.shape[:2], *spec.shape_tail)
    return inverted(shaped) if invert else shaped


def _to_common_mode(image: Image.Image) -> Image.Image:
    """Convert what Pillow's own conversion refuses (Lab colours) or cuts off at 255 (wide greys).

    Wide greys are 16 bits, or floats from 0 to 1.
    """
    if image.mode == "LAB":
        return ImageCms.applyTransform(image, _LAB_TO_RGB) or image
    if image.mode == "F":
        scale = 255.0
    elif image.mode == "I" or image.mode.startswith("I;16"):
        scale = 255.0 / 65535.0
    else:
        return image
    # In place and in 32 bits, since the image may be as large as a request may send.
    values = np.array(image, np.float32)
    values *= np.float32(scale)
    np.nan_to_num(values, copy=False)
    np.rint(values.clip(0, 255, out=values), out=values)
    return Image.fromarray(values.astype(np.uint8))


def _on_ground(image: Image.Image, ground: str) -> Image.Image:
    """Lay an image with transparency over a colour."""
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, ground), layer).convert("RGB")
