"""Rate and distortion: how well images survive a number of bytes, in formats that people know."""

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
    """One setting of a format.

    Attributes:
        file_bytes: The mean size of an image's file.
        payload_bytes: The same without headers and tables: what would have to be sent if both
            sides knew the rest.
        psnr: The peak signal-to-noise ratio of all images together, in decibels.
    """

    file_bytes: float
    payload_bytes: float
    psnr: float


def psnr(images: npt.NDArray[np.generic], restored: npt.NDArray[np.generic]) -> float:
    """Returns the peak signal-to-noise ratio in decibels, from the mean squared error of all.

    Args:
        images: Grey levels, 0 to 255, of any shape and dtype.
        restored: The same.
    """
    error = np.mean((images.astype(np.float64) - restored.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def jpeg_curve(images: Images) -> list[RatePoint]:
    """Measures JPEG with tables optimised for each image, by rising quality.

    Args:
        images: uint8 [N, H, W].
    """
    return [point for point, _ in _restorations(images, "JPEG")]


def webp_curve(images: Images) -> list[RatePoint]:
    """Measures lossy WebP at its slowest and best, by rising quality.

    Args:
        images: uint8 [N, H, W].
    """
    return [point for point, _ in _restorations(images, "WEBP")]


def restore_within(
    images: Images, file_format: str, payload_bytes: float
) -> tuple[RatePoint, Images] | None:
    """Restores images from the best files whose mean payload is small enough.

    Args:
        images: uint8 [N, H, W].
        file_format: `JPEG` or `WEBP`.
        payload_bytes: The largest mean size without headers.

    Returns:
        The setting and what comes back, uint8 [N, H, W]; None if the format cannot make files
        that small.
    """
    fitting = None
    for point, restored in _restorations(images, file_format, range(101)):
        if point.payload_bytes > payload_bytes:
            break
        fitting = point, restored
    return fitting


def psnr_at(curve: list[RatePoint], size: float, headers: bool) -> float | None:
    """Returns the ratio that a format reaches at a size, between its measured settings.

    Args:
        curve: What was measured, by rising quality.
        size: In bytes.
        headers: Whether the format's headers count.

    Returns:
        Decibels; None if the format cannot make files that small.
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
