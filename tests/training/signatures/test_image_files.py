from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from training.signatures.image_files import MAX_JPEG_SCANS, MAX_PIXELS, decode_images


def encode(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def decode(files: tf.Tensor) -> tf.Tensor:
    return decode_images(files, height=20, width=30, channels=1)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png_of(height: int, width: int, before: bytes = b"") -> bytes:
    """A grey PNG file of black pixels, with other chunks before its header."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 1) * height), 9)
    chunks = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + before + b"".join(png_chunk(*chunk) for chunk in chunks)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_jpeg_files_are_decoded(options: dict[str, object]) -> None:
    images = decode([encode(Image.new("L", (30, 20), 128), "JPEG", **options)])

    assert images.shape == (1, 20, 30, 1)
    np.testing.assert_allclose(images, 128, atol=1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_png_files_are_decoded(mode: str) -> None:
    images = decode([encode(Image.new(mode, (30, 20), "white"))])

    np.testing.assert_array_equal(images, np.full((1, 20, 30, 1), 255))


def test_a_batch_keeps_its_order() -> None:
    greys = {10: "JPEG", 200: "PNG", 90: "JPEG"}

    images = decode([encode(Image.new("L", (8, 8), grey), name) for grey, name in greys.items()])

    np.testing.assert_allclose(images[:, 0, 0, 0], list(greys), atol=1)


def test_an_empty_batch_has_no_images() -> None:
    assert decode(tf.constant([], tf.string)).shape == (0, 20, 30, 1)


def test_a_large_image_of_one_colour_is_decoded() -> None:
    # The most that a PNG file can be compressed.
    images = decode([encode(Image.new("1", (4_000, 4_000), 1), optimize=True)])

    np.testing.assert_allclose(images, 255, rtol=1e-5)


@pytest.mark.parametrize(
    ("height", "width"), [(4_001, 4_000), (21_500, 21_500), (1, MAX_PIXELS + 1)]
)
def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(
    height: int, width: int
) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"at most {MAX_PIXELS} pixels"):
        decode([png_of(height, width)])


def test_a_jpeg_file_of_too_many_pixels_is_refused() -> None:
    content = encode(Image.new("L", (8, 8)), "JPEG")
    height_at = content.index(b"\xff\xc0") + 5
    huge = content[:height_at] + struct.pack(">HH", 60_000, 60_000) + content[height_at + 4 :]

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"bytes.*60000 60000"):
        decode([huge])


def test_a_header_that_promises_more_than_the_file_can_hold_is_refused() -> None:
    content = png_of(8, 8)
    promise = content[:16] + struct.pack(">II", 3_000, 3_000) + content[24:]

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"per byte of its file"):
        decode([promise])


def test_a_chunk_before_the_header_cannot_hide_the_size() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be PNG or JPEG"):
        decode([png_of(8, 8, before=png_chunk(b"teXt", struct.pack(">II", 1, 1)))])


def test_a_jpeg_file_of_many_scans_is_refused() -> None:
    content = encode(Image.new("L", (8, 8)), "JPEG", progressive=True)
    scan = content[content.index(b"\xff\xda") : -2]
    repeated = content[:-2] + scan * MAX_JPEG_SCANS + content[-2:]

    with pytest.raises(tf.errors.InvalidArgumentError, match=f"at most {MAX_JPEG_SCANS} scans"):
        decode([repeated])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        png_of(8, 8)[:16],
        png_of(8, 8)[:23],
        png_of(8, 8)[:40],
        png_of(0, 8),
        encode(Image.new("L", (8, 8)), "JPEG")[:200],
        encode(Image.new("L", (8, 8)), "GIF"),
        encode(Image.new("L", (8, 8)), "BMP"),
    ],
)
def test_a_damaged_file_or_another_format_is_an_invalid_argument(content: bytes) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode([content])
