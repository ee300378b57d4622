from __future__ import annotations

import struct
import time

import numpy as np
import pytest
from PIL import Image

from services.gateway.codecs.image_files.bounds import TooCostly
from services.gateway.codecs.image_files.opened_image import Target
from services.gateway.codecs.image_files.tiff import open_tiff
from tests.hostile import images
from tests.services.gateway.images import GREY, encode

AS_IT_IS = Target("L", None, None, "black", 10**6)


def decode(content: bytes) -> np.ndarray:
    return np.asarray(open_tiff(content).decode(AS_IT_IS))


@pytest.mark.parametrize(
    "compression", [None, "packbits", "tiff_lzw", "tiff_adobe_deflate", "lzma", "zstd"]
)
@pytest.mark.parametrize("big", [False, True])
def test_every_lossless_compression_is_read(compression, big):
    content = encode(GREY, "TIFF", compression=compression, big_tiff=big)
    np.testing.assert_array_equal(decode(content), GREY)


@pytest.mark.parametrize("compression", [2, 3, 4])
def test_a_fax_is_not_read(compression):
    with pytest.raises(ValueError, match="its compression is"):
        open_tiff(images.tiff_of_a_fax(4_000, compression))


@pytest.mark.parametrize(
    "tag",
    [
        (282, 5, 1, 0xFFFFFF00),  # a resolution beyond the end
        (282, 2, 9, 0xFFFFFF00),  # a resolution that is a text
        (34665, 4, 1, 0xFFFFFF00),  # EXIF beyond the end
        (330, 4, 100, 8),  # other pictures that are none
        (700, 5, 2**31, 8),  # XMP that is a number
        (34675, 7, 2**31, 8),  # a profile of 2 GB
        (40000, 99, 1, 1),  # of an unknown type
    ],
)
def test_damaged_metadata_does_not_decide_whether_the_pixels_are_read(tag):
    content = images.grey_tiff(28, 28, GREY.tobytes())
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    list_of_tags = content[start + 2 : start + 2 + 12 * count]
    replaced = struct.pack("<H", count + 1) + list_of_tags + struct.pack("<HHII", *tag) + bytes(4)
    np.testing.assert_array_equal(decode(content[:start] + replaced), GREY)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_it_is_turned_upright(compression):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode(GREY[:, :20], "TIFF", exif=exif, compression=compression)
    np.testing.assert_array_equal(decode(content), np.rot90(GREY[:, :20], -1))


@pytest.mark.parametrize(("zero_is_white", "expected"), [(True, [255, 0]), (False, [0, 255])])
def test_wide_greys_are_as_light_as_the_file_says(zero_is_white, expected):
    white = {"t258": 16, "t262": 0 if zero_is_white else 1}
    content = images.grey_tiff(2, 1, b"\0\0\xff\xff", **white)
    np.testing.assert_array_equal(decode(content), [expected])


def test_small_greys_are_as_light_as_the_file_says():
    np.testing.assert_array_equal(decode(images.grey_tiff(2, 1, b"\0\xff", t262=0)), [[255, 0]])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 128, 255], [0, 128, 255]),
        ([0, 17.4, 17.6], [0, 17, 18]),
        ([0, 0.5, 1], [0, 128, 255]),
        ([0, 0.5, 7], [0, 128, 255]),
        ([-1, np.nan, 0.2], [0, 0, 51]),
        ([1e30, -np.inf, 300], [255, 0, 255]),
        ([np.nan] * 3, [0, 0, 0]),
    ],
)
def test_floats_run_to_one_or_to_255(values, expected):
    content = encode(np.array([values], np.float32), "TIFF")
    np.testing.assert_array_equal(decode(content), [expected])


def test_a_million_strips_are_too_many():
    start = time.process_time()
    with pytest.raises(TooCostly, match="1000000 parts, expected at most 100000"):
        open_tiff(images.tiff_with_strips(1_000_000))
    assert time.process_time() - start < 1


def test_a_strip_a_row_is_read():
    assert decode(images.tiff_with_strips(5_000)).shape == (5_000, 1)
