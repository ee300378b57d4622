"""Image files that cost more than their size tells, or carry damaged metadata.

A function per kind; each returns the bytes of a file.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from tests.services.gateway.images import GREY, encode

BROKEN_EXIF = b"MM\0*\0\0\0\x08" + struct.pack(
    ">HHHIHHHHIII", 2, 0x0112, 3, 1, 6, 0, 0x011A, 5, 1, 0xFFFFFF00, 0
)
"""Says that the camera was turned by 90 degrees (6), and a resolution that lies beyond the end."""


# PNG


def png_chunk(kind: bytes, data: bytes = b"", checksum: int | None = None) -> bytes:
    right = zlib.crc32(kind + data)
    tail = right if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", tail)


def png(
    pixels: np.ndarray, *, before: Iterable[bytes] = (), after: Iterable[bytes] = (), parts: int = 1
) -> bytes:
    """A grey PNG.

    Args:
        pixels: uint8 [H, W].
        before: chunks between the header and the pixels.
        after: chunks behind the pixels.
        parts: how many chunks hold the pixels.
    """
    height, width = pixels.shape
    rows = zlib.compress(np.pad(pixels, ((0, 0), (1, 0))).tobytes(), 1)
    size = math.ceil(len(rows) / parts)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
            *before,
            *(png_chunk(b"IDAT", rows[part * size : (part + 1) * size]) for part in range(parts)),
            *after,
            png_chunk(b"IEND"),
        ]
    )


def png_with_chunks(count: int, kind: bytes = b"tEXt", data: bytes = b"a\0b") -> bytes:
    return png(GREY, before=[png_chunk(kind, data)] * count)


def deflated(size: int) -> bytes:
    """So many bytes, in a thousandth of them."""
    return zlib.compress(bytes(size))


def compressed_chunk(kind: bytes, size: int) -> bytes:
    """A text (zTXt) or a colour profile (iCCP) of so many bytes."""
    return png_chunk(kind, b"a\0\0" + deflated(size))


def palette_png(
    indices: Sequence[Sequence[int]],
    colours: Sequence[tuple[int, int, int]],
    opacity: Sequence[int] = (),
) -> bytes:
    image = Image.fromarray(np.array(indices, np.uint8), "P")
    image.putpalette([value for colour in colours for value in colour])
    return encode(image, transparency=bytes(opacity))


def png_bomb(side: int) -> bytes:
    """A thousandth of its pixels, in bytes."""
    return encode(Image.new("RGBA", (side, side)), "PNG", compress_level=9)


# JPEG


def progressive_jpeg(side: int, scans: int) -> bytes:
    """A grey JPEG whose scans, a dozen bytes each, go through all of its blocks."""
    blocks = math.ceil(side / 8) ** 2
    first = _scan(0, 0, "0" * blocks)
    # A run of 32,767 blocks without data: the code 0, and 14 bits of its length.
    further = _scan(1, 63, ("0" + "1" * 14) * math.ceil(blocks / 32_767))
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xDB, b"\0" + b"\1" * 64),
            _segment(0xC2, struct.pack(">BHHBBBB", 8, side, side, 1, 1, 0x11, 0)),
            _segment(0xC4, b"\x00" + b"\1" + bytes(15) + b"\x00"),
            _segment(0xC4, b"\x10" + b"\1" + bytes(15) + b"\xe0"),
            first,
            further * (scans - 1),
            b"\xff\xd9",
        ]
    )


def jpeg_with_segments(count: int, marker: int = 0xFE, data: bytes = b"a") -> bytes:
    content = encode(GREY, "JPEG")
    return content[:2] + _segment(marker, data) * count + content[2:]


def jpeg_with_scans_within(count: int) -> bytes:
    """A JPEG whose first scan is followed by others before it is complete."""
    content = progressive_jpeg(80, count)
    first = content.index(b"\xff\xda")
    return content[: first + 10] + content[first + 12 :]


def jpeg_of_size(width: int, height: int, **options: Any) -> bytes:
    """A photo of so many pixels: 400 KB for 24 million."""
    picture = Image.fromarray(GREY).resize((width, height)).convert("RGB")
    return encode(picture, "JPEG", **{"quality": 50, **options})


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _scan(start: int, end: int, bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8)
    header = struct.pack(">BBBBBB", 1, 1, 0, start, end, 0)
    return _segment(0xDA, header) + data.replace(b"\xff", b"\xff\0")


# WebP and AVIF


def webp_with_codes(side: int) -> bytes:
    """A lossless WebP of 65,536 groups of Huffman codes, which are 5 KB each in memory."""
    groups = 256 * 256
    across = math.ceil(side / 4)
    simple = "1000"  # one symbol, 0, which takes no bits
    # 256 codes of 8 bits: the only length of a code is 8, and 256 symbols have one.
    lengths = ["000"] * 11 + ["100"]
    normal = "0" + _bits(len(lengths) - 4, 4) + "".join(lengths) + "1" + _bits(3, 3) + _bits(254, 8)
    names = "".join(
        f"{group % 256:08b}{group // 256:08b}"
        for group in (position % groups for position in range(across * across))
    )
    stream = "".join(
        [
            _bits(0x2F, 8) + _bits(side - 1, 14) + _bits(side - 1, 14) + "1000",
            "00",  # no transform, no cache of colours
            "1" + "000",  # a group for each block of 4 x 4 pixels
            "0" + normal + normal + simple * 3 + names,
            simple * 5 * groups,
        ]
    )
    stream += "0" * (-len(stream) % 8)
    data = int(stream[::-1], 2).to_bytes(len(stream) // 8, "little")
    data += bytes(len(data) % 2)
    return _riff(b"VP8L", data)


def webp_with_frames(count: int) -> bytes:
    still = encode(GREY, "WEBP", lossless=True)[12:]
    frame = bytes(6) + (27).to_bytes(3, "little") * 2 + bytes(4) + still
    chunk = b"ANMF" + struct.pack("<I", len(frame)) + frame
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + (27).to_bytes(3, "little") * 2
    animation = b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body = b"WEBP" + canvas + animation + chunk * count
    return b"RIFF" + struct.pack("<I", len(body)) + body


def avif_that_lies(side: int, claimed: int = 28) -> bytes:
    """An AVIF whose header tells of fewer pixels than its data holds."""
    content = encode(Image.new("L", (side, side)), "AVIF", speed=10, quality=10)
    start = content.index(b"ispe") + 8
    return content[:start] + struct.pack(">II", claimed, claimed) + content[start + 8 :]


def _bits(value: int, count: int) -> str:
    """The bits of a number, the lowest first."""
    return f"{value:0{count}b}"[::-1]


def _riff(kind: bytes, data: bytes) -> bytes:
    body = b"WEBP" + kind + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


# TIFF


def tiff(tags: dict[int, int | Sequence[int]], data: bytes) -> bytes:
    """A TIFF of integer tags; the data starts at byte 8."""
    entries, values = [], b""
    start = 8 + len(data) + len(data) % 2
    behind = start + 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        numbers = [value] if isinstance(value, int) else value
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(numbers) > 1:
            place = struct.pack("<I", behind + len(values))
            values += packed
        else:
            place = packed
        entries.append(struct.pack("<HHI", tag, 4, len(numbers)) + place)
    return b"".join(
        [
            b"II*\0" + struct.pack("<I", start),
            data + bytes(len(data) % 2),
            struct.pack("<H", len(entries)),
            *entries,
            bytes(4),
            values,
        ]
    )


def grey_tiff(width: int, height: int, data: bytes, **tags: Any) -> bytes:
    """A grey TIFF of one strip.

    Args:
        width: columns.
        height: rows.
        data: of the strip.
        tags: `t258=16` for the tag of that number.
    """
    usual: dict[int, int | Sequence[int]] = {
        **{256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: 1, 278: height},
        **{273: 8, 279: len(data)},
    }
    return tiff(usual | {int(name[1:]): value for name, value in tags.items()}, data)


def tiff_with_strips(count: int) -> bytes:
    """As many rows of one pixel, each a strip of its own."""
    return grey_tiff(1, count, bytes(count), t278=1, t273=range(8, 8 + count), t279=[1] * count)


def tiff_with_shared_strips(count: int, size: int) -> bytes:
    """Strips that all have the same data, much more of it than they need."""
    data = zlib.compress(bytes(64)) + bytes(size)
    shared = {"t273": [8] * count, "t279": [len(data)] * count}
    return grey_tiff(64, count, data, t259=8, t278=1, **shared)


def tiff_of_a_fax(side: int, compression: int = 4) -> bytes:
    return grey_tiff(side, side, bytes(4000), t258=1, t259=compression)


# Others


def gif_with_frames(count: int) -> bytes:
    content = encode(GREY, "GIF")
    start = content.index(b"\x2c\0\0\0\0\x1c\0\x1c\0")
    return content[:start] + content[start:-1] * count + b";"


def gif_with_comments(count: int) -> bytes:
    content = encode(GREY, "GIF")
    start = content.index(b"\x2c\0\0\0\0\x1c\0\x1c\0")
    return content[:start] + b"!\xfe\1a\0" * count + content[start:]


def ppm_with_comments(count: int) -> bytes:
    return b"P2 2 2 255\n1 " + b"#\n" * count + b"2 3 4\n"


def jpeg_2000(side: int) -> bytes:
    return encode(Image.new("L", (side, side)), "JPEG2000")
