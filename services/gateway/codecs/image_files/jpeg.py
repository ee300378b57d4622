"""JPEG files: limits the number of scans, and decodes large files at a reduced scale.

Source: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass, field

from PIL.JpegImagePlugin import JpegImageFile

from services.gateway.codecs.image_files.bounds import TimedFile, TooCostly
from services.gateway.codecs.image_files.exif import UPRIGHT, read_orientation
from services.gateway.codecs.image_files.opened_image import LARGE_PIXELS, OpenedImage, Target

SIGNATURE = b"\xff\xd8\xff"

_MAX_SEGMENTS = 10_000
_MAX_SCANS = 100
_LARGER = 4
"""A JPEG may have this many times the pixels of other images, since it can be decoded at a reduced
scale."""
_USUAL_SCANS = 10
"""Usual number of scans of a progressive file; the limit for a file with the maximum of pixels."""
_SAMPLES_PER_PIXEL = 6
"""Maximum number of samples in memory, 2 bytes each, per pixel of the largest other image. Files
with several scans are held in full, even at a reduced scale."""

_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])")
"""Matches a marker that starts a segment or ends the file, but no marker within the data."""
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_TABLES = {0xC4, 0xCC, 0xDB, 0xDD}
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = {0xC0, 0xC1}
_EXIF = (0xE1, b"Exif\0\0")
_OF_COLOURS = ((0xE0, b"JFIF\0", 14), (0xEE, b"Adobe", 12))
"""Markers, names and minimum sizes of the segments that define the colour space."""


@dataclass
class _Segments:
    """The segments of a file that belong to its pixels.

    Attributes:
        header: tables and descriptions before the first scan.
        scans: offset of the data of each scan; for the first scan, offset of its header.
        end: offset of the image's end.
        frame: the frame header, which describes the image.
        buffered: whether decoding needs all scans in memory.
        orientation: the EXIF orientation.
    """

    header: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    scans: list[int] = field(default_factory=list)
    end: int = 0
    frame: bytes = b""
    buffered: bool = False
    orientation: int = UPRIGHT


def open_jpeg(content: bytes, deadline: float, target: Target) -> OpenedImage:
    """Opens a JPEG file at the smallest scale that suffices for the target.

    Args:
        content: content of the file, which starts with `SIGNATURE`.
        deadline: deadline for decoding, by `time.monotonic`.
        target: mode and size of the decoded image.

    Raises:
        TooCostly: the file has too many pixels, scans or segments.
        Exception: any exception that Pillow raises for damaged data.
    """
    segments = _read_segments(content)
    pixels = _check_cost(segments, target.max_pixels)
    header = b"".join(segments.header)
    content = header + content[segments.scans[0] : segments.end] if segments.scans else header
    if pixels * len(segments.scans) > LARGE_PIXELS:
        moved = len(header) - segments.scans[0]
        file: io.BytesIO = TimedFile(content, deadline, [at + moved for at in segments.scans])
    else:
        file = io.BytesIO(content)
    image = JpegImageFile(file)
    _reduce(image, target)
    return OpenedImage(
        image,
        held_pixels=pixels if segments.buffered else image.width * image.height,
        orientation=segments.orientation,
    )


def _read_segments(content: bytes) -> _Segments:
    segments = _Segments(end=len(content))
    at = 2
    for _ in range(_MAX_SEGMENTS):
        match = _MARKER.search(content, at)
        if not match or match.end() + 2 > len(content):
            return segments
        marker, data = match[1][0], match.end() + 2
        if marker == _END_OF_IMAGE:
            segments.end = match.end()
            return segments
        at = match.end() + int.from_bytes(content[match.end() : data])
        if marker == _START_OF_SCAN:
            whole = segments.frame[5:6] == content[data : data + 1]
            segments.buffered = segments.buffered or not whole
            segments.scans.append(at if segments.scans else match.end() - 2)
        elif not segments.scans:
            _read_header_segment(segments, marker, content[match.end() - 2 : at])
    raise TooCostly(f"it has more than {_MAX_SEGMENTS} segments, expected fewer")


def _read_header_segment(segments: _Segments, marker: int, segment: bytes) -> None:
    data = segment[4:]
    if marker in _FRAMES:
        segments.frame = data
        segments.buffered = marker not in _SEQUENTIAL
    elif marker == _EXIF[0] and data.startswith(_EXIF[1]):
        segments.orientation = read_orientation(data)
    if marker in _FRAMES | _TABLES or any(
        marker == kind and data.startswith(name) and len(data) >= size
        for kind, name, size in _OF_COLOURS
    ):
        segments.header.append(segment)


def _check_cost(segments: _Segments, max_pixels: int) -> int:
    """Checks the number of pixels, scans and samples, and returns that of the pixels."""
    try:
        _, height, width, components = struct.unpack_from(">BHHB", segments.frame)
        sampling = [divmod(segments.frame[7 + 3 * index], 16) for index in range(components)]
        finest = max(across for across, _ in sampling) * max(down for _, down in sampling)
    except (struct.error, IndexError, ValueError):
        raise ValueError("its frame header is missing or ends early") from None
    pixels: int = width * height
    most, scans = _LARGER * max_pixels, len(segments.scans)
    if pixels > most:
        raise TooCostly(
            f"it has {width} x {height} = {pixels} pixels, expected at most {most}: send a "
            "smaller one"
        )
    if scans > _MAX_SCANS or scans * pixels > _USUAL_SCANS * most:
        raise TooCostly(
            f"its {pixels} pixels are in {scans} scans, expected at most "
            f"{min(_MAX_SCANS, _USUAL_SCANS * most // max(pixels, 1))}: save it as a baseline JPEG"
        )
    samples = pixels * sum(across * down for across, down in sampling) // max(finest, 1)
    if segments.buffered and samples > _SAMPLES_PER_PIXEL * max_pixels:
        raise TooCostly(
            f"it has {samples} samples in a progressive file, expected at most "
            f"{_SAMPLES_PER_PIXEL * max_pixels}: save it as a baseline JPEG"
        )
    return pixels


def _reduce(image: JpegImageFile, target: Target) -> None:
    """Makes the decoder skip detail that would be lost by scaling down.

    Twice the size of the target is enough for a smooth result. An image with more pixels than may
    be decoded is reduced to at most half its size.
    """
    if not (target.width and target.height):
        return
    side = 2 * max(target.width, target.height)
    if image.width * image.height > target.max_pixels:
        side = min(side, image.width // 2, image.height // 2)
    image.draft(None, (side, side))
