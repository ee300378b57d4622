from __future__ import annotations

import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.codecs.image_files.bounds import OutOfTime, TooCostly
from services.gateway.codecs.image_files.jpeg import open_jpeg
from services.gateway.codecs.image_files.opened_image import Target
from tests.hostile import images
from tests.services.gateway.images import GREY, encode

MAX_PIXELS = 16_000_000
AS_IT_IS = Target("L", None, None, "black", MAX_PIXELS)
SMALL = Target("L", 28, 28, "black", MAX_PIXELS)

JPEG = encode(GREY, "JPEG")
PIXELS = np.asarray(open_jpeg(JPEG, time.monotonic() + 60, AS_IT_IS).decode(AS_IT_IS))

BESIDE_THE_PIXELS = {
    "EXIF that is none": (0xE1, b"Exif\0\0hello"),
    "EXIF that ends early": (0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
    "empty EXIF": (0xE1, b"Exif\0\0"),
    "a profile that is none": (0xE2, b"ICC_PROFILE\0hello"),
    "a list of pictures that is none": (0xE2, b"MPF\0hello"),
    "Photoshop's block that ends early": (0xED, b"Photoshop 3.0\x008BIM\x03\xed"),
    "a scan in a comment": (0xFE, b"\xff\xda\xff\xd9" * 1_000),
    "JFIF that ends early": (0xE0, b"JFIF\0"),
    "Adobe's that ends early": (0xEE, b"Adobe"),
}


def decode(content: bytes, target: Target = AS_IT_IS, seconds: float = 60) -> np.ndarray:
    return np.asarray(open_jpeg(content, time.monotonic() + seconds, target).decode(target))


@pytest.mark.parametrize("segment", BESIDE_THE_PIXELS.values(), ids=BESIDE_THE_PIXELS)
def test_damaged_metadata_does_not_decide_whether_the_pixels_are_read(segment):
    np.testing.assert_array_equal(decode(images.jpeg_with_segments(3, *segment)), PIXELS)


def test_a_photo_is_turned_upright_although_its_metadata_is_damaged():
    exif = images.jpeg_with_segments(1, 0xE1, b"Exif\0\0" + images.BROKEN_EXIF)
    np.testing.assert_array_equal(decode(exif), np.rot90(PIXELS, -1))


@pytest.mark.parametrize("behind", [b"hello", JPEG, images.progressive_jpeg(8, 1_000)])
def test_bytes_after_the_image_are_ignored(behind):
    np.testing.assert_array_equal(decode(JPEG + behind), PIXELS)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(("width", "height"), [(6_000, 4_000), (8_200, 6_150)])
def test_photos_of_24_and_50_megapixels_are_read(width, height, progressive):
    content = images.jpeg_of_size(width, height, progressive=progressive)
    opened = open_jpeg(content, time.monotonic() + 60, SMALL)
    assert opened.width * opened.height < 1_000_000
    pixels = np.asarray(opened.decode(SMALL))
    assert np.corrcoef(pixels.ravel(), GREY.ravel())[0, 1] > 0.9
    assert abs(pixels.mean() - GREY.mean()) < 3


def test_a_scale_that_would_leave_too_many_pixels_is_halved():
    content = images.jpeg_of_size(6_000, 4_000)
    opened = open_jpeg(
        content, time.monotonic() + 60, Target("L", 2_500, 2_500, "black", 16 * 10**6)
    )
    assert (opened.width, opened.height) == (3_000, 2_000)


def test_where_any_size_is_taken_the_scale_stays():
    opened = open_jpeg(images.jpeg_of_size(6_000, 4_000), time.monotonic() + 60, AS_IT_IS)
    assert (opened.width, opened.height) == (6_000, 4_000)


def test_a_baseline_file_holds_what_it_is_reduced_to_and_a_progressive_one_all():
    deadline = time.monotonic() + 60
    sizes = [
        open_jpeg(images.jpeg_of_size(4_000, 2_000, progressive=progressive), deadline, SMALL)
        for progressive in (False, True)
    ]
    assert [opened.held_pixels for opened in sizes] == [500 * 250, 4_000 * 2_000]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (images.progressive_jpeg(990, 3_000), "3000 scans, expected at most 100"),
        (images.progressive_jpeg(16, 101), "101 scans, expected at most 100"),
        (images.progressive_jpeg(7_900, 11), "11 scans, expected at most 10"),
        (images.progressive_jpeg(8_100, 1), "8100 x 8100 = 65610000 pixels"),
        (images.jpeg_of_size(7_000, 6_000, progressive=True, subsampling=0), "samples"),
        (images.jpeg_with_segments(20_000), "more than 10000 segments"),
        (images.jpeg_with_scans_within(3_000), "scans, expected at most 100"),
    ],
)
def test_too_costly_files_are_refused_before_decoding(content, reason):
    start = time.process_time()
    with pytest.raises(TooCostly, match=reason):
        open_jpeg(content, time.monotonic() + 60, SMALL)
    assert time.process_time() - start < 0.5


@given(st.integers(8, 200), st.integers(1, 100))
def test_up_to_a_hundred_scans_are_read(side, scans):
    array = decode(images.progressive_jpeg(side, scans))
    assert array.shape == (side, side)
    assert (array == 128).all()


def test_many_scans_are_given_up_at_the_deadline():
    content = images.progressive_jpeg(7_900, 10)
    opened = open_jpeg(content, time.monotonic() + 0.05, SMALL)
    start = time.process_time()
    with pytest.raises(OutOfTime):
        opened.decode(SMALL)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("size", [(0, 0), (8, 0), (0, 8)])
def test_no_pixels_are_refused_whatever_the_scans(size):
    frame = struct.pack(">HH", 8, 8)
    content = images.progressive_jpeg(8, 200).replace(frame, struct.pack(">HH", *size))
    with pytest.raises(TooCostly, match="200 scans"):
        decode(content)


def test_a_frame_without_components_is_refused():
    frame = b"\xff\xc0\0\x08\x08\0\x08\0\x08\0"
    with pytest.raises(ValueError, match="frame header"):
        decode(b"\xff\xd8" + frame + b"\xff\xd9")


@pytest.mark.parametrize("content", [JPEG[:4], JPEG[:100], JPEG[: len(JPEG) // 2]])
def test_truncated_files_are_refused(content):
    with pytest.raises((ValueError, OSError), match=r"."):
        decode(content)
