"""Reads the orientation of a photo, even if the rest of its metadata is damaged."""

from __future__ import annotations

import struct

UPRIGHT = 1
_ORIENTATION = 0x0112
_SHORT = 3


def read_orientation(exif: bytes) -> int:
    """Returns the orientation in EXIF data, 1 to 8; 1 if there is none.

    Args:
        exif: a TIFF file without pixels, with or without the header `Exif`.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for index in range(count):
            at = start + 2 + 12 * index
            tag, kind, _, orientation = struct.unpack_from(f"{order}HHIH", exif, at)
            if (tag, kind) == (_ORIENTATION, _SHORT) and 1 <= orientation <= 8:
                return int(orientation)
    except struct.error:  # the data ends within the list
        pass
    return UPRIGHT
