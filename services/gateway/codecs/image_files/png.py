"""PNG files: counts the chunks, and passes only those that belong to the pixels to Pillow.

Source: https://www.w3.org/TR/png-3/#5Chunk-layout
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field

from PIL.PngImagePlugin import PngImageFile

from services.gateway.codecs.image_files.bounds import TimedFile, TooCostly
from services.gateway.codecs.image_files.exif import UPRIGHT, read_orientation
from services.gateway.codecs.image_files.opened_image import LARGE_PIXELS, OpenedImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_MAX_CHUNKS = 100_000
_MANY_PARTS = 100
_SMALLEST = 33
"""Size of the signature and the header, in bytes."""
_HEADER = struct.Struct(">I4s")
_ESSENTIAL = {b"PLTE", b"tRNS"}


@dataclass
class _Chunks:
    """The chunks of a file that belong to its pixels.

    Attributes:
        header: the header, the palette and the transparent colours.
        pixels: the parts of the compressed pixels.
        orientation: the EXIF orientation.
        plain: whether the file has no other chunks, and no unusual number of parts.
    """

    header: list[bytes] = field(default_factory=list)
    pixels: list[bytes] = field(default_factory=list)
    orientation: int = UPRIGHT
    plain: bool = True


def open_png(content: bytes, deadline: float) -> OpenedImage:
    """Opens a PNG file; of an animation, the default image.

    Args:
        content: content of the file, which starts with `SIGNATURE`.
        deadline: deadline for decoding, by `time.monotonic`.

    Raises:
        TooCostly: the file has too many chunks.
        Exception: any exception that Pillow raises for damaged data.
    """
    chunks = _read_chunks(content)
    if not chunks.plain:
        pixels = _chunk(b"IDAT", b"".join(chunks.pixels))
        content = b"".join([SIGNATURE, *chunks.header, pixels, _chunk(b"IEND", b"")])
    if len(content) < _SMALLEST:
        raise ValueError("it ends before its header does")
    width, height = struct.unpack_from(">II", content, 16)
    large = width * height > LARGE_PIXELS
    file = TimedFile(content, deadline) if large else io.BytesIO(content)
    return OpenedImage(PngImageFile(file), orientation=chunks.orientation)


def _read_chunks(content: bytes) -> _Chunks:
    chunks = _Chunks()
    start, count = len(SIGNATURE), 0
    while start + _HEADER.size <= len(content):
        count += 1
        if count > _MAX_CHUNKS:
            raise TooCostly(f"it has more than {_MAX_CHUNKS} chunks, expected fewer")
        length, kind = _HEADER.unpack_from(content, start)
        data, end = start + _HEADER.size, start + _HEADER.size + length + 4
        if kind == b"IDAT":
            chunks.pixels.append(content[data : data + length])
        elif kind == b"IEND":
            break
        elif count == 1 or (kind in _ESSENTIAL and _is_whole(content, start, end)):
            chunks.header.append(content[start:end])
        else:
            chunks.plain = False
            if kind == b"eXIf":
                chunks.orientation = read_orientation(content[data : data + length])
        start = end
    chunks.plain = chunks.plain and len(chunks.pixels) <= _MANY_PARTS
    return chunks


def _is_whole(content: bytes, start: int, end: int) -> bool:
    return zlib.crc32(content[start + 4 : end - 4]) == int.from_bytes(content[end - 4 : end])


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join([_HEADER.pack(len(data), kind), data, checksum.to_bytes(4)])
