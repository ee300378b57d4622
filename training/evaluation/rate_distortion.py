"""Rate and distortion: the quality of images at a number of bytes, for JPEG and WebP."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Images = npt.NDArray[np.uint8]

QUALITIES = (0, 2, 5, 8, 10, 15, 20, 30, 40, 50, 60, 75)


@dataclass(frozen=True)
class RatePoint:
    """One quality setting of a format.

    Attributes:
        file_bytes: Mean file size of an image.
        payload_bytes: Mean size without headers and tables, which a receiver could know in advance.
        psnr: Peak signal-to-noise ratio of all images together, in decibels.
    """

    file_bytes: float
    payload_bytes: float
    psnr: float


def psnr(images: npt.NDArray[np.generic], restored: npt.NDArray[np.generic]) -> float:
    """Returns the peak signal-to-noise ratio in decibels, over all images together.

    Args:
        images: Grey levels, 0 to 255, of any shape and dtype.
        restored: The decompressed images, of the same shape.
    """
    error = np.mean((images.astype(np.float64) - restored.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def jpeg_curve(images: Images) -> list[RatePoint]:
    """Measures JPEG with tables optimized for each image, in order of quality.

    Args:
        images: uint8 [N, H, W].
    """
    return [point for point, _ in _restorations(images, "JPEG")]


def webp_curve(images: Images) -> list[RatePoint]:
    """Measures lossy WebP with its slowest and best method, in order of quality.

    Args:
        images: uint8 [N, H, W].
    """
    return [point for point, _ in _restorations(images, "WEBP")]


def restore_within(
    images: Images, file_format: str, payload_bytes: float
) -> tuple[RatePoint, Images] | None:
    """Compresses images with the best quality whose mean payload is small enough.

    Args:
        images: uint8 [N, H, W].
        file_format: `JPEG` or `WEBP`.
        payload_bytes: Largest mean size without headers.

    Returns:
        The setting and the decompressed images, uint8 [N, H, W]; None if the format's files are
        always larger.
    """
    best = None
    for point, restored in _restorations(images, file_format, range(101)):
        if point.payload_bytes > payload_bytes:
            break
        best = point, restored
    return best


def psnr_at(curve: list[RatePoint], size: float, headers: bool) -> float | None:
    """Returns the PSNR of a format at a size, interpolated between its measured settings.

    Args:
        curve: The measured settings, in order of quality.
        size: Size in bytes.
        headers: Counts the format's headers.

    Returns:
        Decibels; None if the format's files are always larger.
    """
    sizes = [point.file_bytes if headers else point.payload_bytes for point in curve]
    if size < min(sizes):
        return None
    return float(np.interp(size, sizes, [point.psnr for point in curve]))


def _restorations(
    images: Images, file_format: str, qualities: Iterable[int] = QUALITIES
) -> Iterator[tuple[RatePoint, Images]]:
    payload, options = _FORMATS[file_format]
    for quality in qualities:
        files = [_encode(image, file_format, quality=quality, **options) for image in images]
        restored = np.stack(
            [np.asarray(Image.open(io.BytesIO(file)).convert("L")) for file in files]
        )
        point = RatePoint(
            file_bytes=float(np.mean([len(file) for file in files])),
            payload_bytes=float(np.mean([payload(file) for file in files])),
            psnr=psnr(images, restored),
        )
        yield point, restored


def _encode(image: Images, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, file_format, **options)
    return file.getvalue()


def _jpeg_payload(file: bytes) -> int:
    """Returns the bytes of the entropy-coded scan (ITU T.81, B.1.1 and B.2.3)."""
    scan = file.index(b"\xff\xda") + 2
    header_size = int.from_bytes(file[scan : scan + 2], "big")
    return len(file) - scan - header_size - len(b"\xff\xd9")


def _webp_payload(file: bytes) -> int:
    """Returns the bytes of the compressed partitions (RFC 6386, 9.1; RFC 9649, 2.4)."""
    riff_and_chunk_headers, frame_header = 20, 10
    return len(file) - riff_and_chunk_headers - frame_header


_FORMATS: Mapping[str, tuple[Callable[[bytes], int], Mapping[str, Any]]] = {
    "JPEG": (_jpeg_payload, {"optimize": True}),
    "WEBP": (_webp_payload, {"method": 6}),
}
