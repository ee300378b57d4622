"""TIFF files: passes only the first image, and of it only tags that describe pixels, to Pillow.

Source: https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf, section 2;
https://libtiff.gitlab.io/libtiff/specification/bigtiff.html
"""

from __future__ import annotations

import io
import struct

from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, TiffImageFile

from services.gateway.codecs.image_files.bounds import TooCostly
from services.gateway.codecs.image_files.opened_image import OpenedImage

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_MAX_PARTS = 100_000
"""Maximum number of strips or tiles."""

_COMPRESSIONS = {
    "raw",
    "packbits",
    "tiff_lzw",
    "tiff_deflate",
    "tiff_adobe_deflate",
    "jpeg",
    "lzma",
    "zstd",
}
"""The three fax compressions are excluded, since decoding a few bytes of them can take minutes."""

# Size, depth, compression and offset of the pixels; orientation, palette, opacity and colours.
_ESSENTIAL = {
    *(256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320),
    *(322, 323, 324, 325, 332, 338, 339, 347, 529, 530, 531, 532),
}


def open_tiff(content: bytes) -> OpenedImage:
    """Opens the first image of a TIFF file.

    Args:
        content: content of the file, which starts with one of `SIGNATURES`.

    Raises:
        TooCostly: the image has too many parts.
        Exception: any exception that Pillow raises for damaged or unsupported data.
    """
    image = TiffImageFile(io.BytesIO(_without_metadata(content)))
    compression = image.info["compression"]
    if compression not in _COMPRESSIONS:
        raise ValueError(f"its compression is {compression}, expected {sorted(_COMPRESSIONS)}")
    zero_is_white = image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0
    return OpenedImage(image, zero_is_white=zero_is_white)


def _without_metadata(content: bytes) -> bytes:
    """Appends a list of only the essential tags, and points the header to it."""
    order = "<" if content[:2] == b"II" else ">"
    big = content[2:4] in {b"+\0", b"\0+"}
    offset_at, offset, count, entry_size = (8, "Q", "Q", 20) if big else (4, "I", "H", 12)
    (start,) = struct.unpack_from(order + offset, content, offset_at)
    (entries,) = struct.unpack_from(order + count, content, start)
    start += struct.calcsize(order + count)
    end = min(start + entries * entry_size, len(content))
    kept = []
    for at in range(start, end - entry_size + 1, entry_size):
        tag, _, values = struct.unpack_from(f"{order}HH{offset}", content, at)
        if tag in _ESSENTIAL:
            kept.append(content[at : at + entry_size])
            if values > _MAX_PARTS:
                raise TooCostly(f"it has {values} parts, expected at most {_MAX_PARTS}")
    padding = bytes(-len(content) % 8)
    header = content[:offset_at] + struct.pack(order + offset, len(content) + len(padding))
    return b"".join(
        [
            header,
            content[len(header) :],
            padding,
            struct.pack(order + count, len(kept)),
            *kept,
            struct.pack(order + offset, 0),
        ]
    )
