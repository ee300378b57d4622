from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.codecs.image_files.bounds import OutOfTime, TooCostly
from services.gateway.codecs.image_files.opened_image import Target
from services.gateway.codecs.image_files.png import open_png
from tests.hostile import images
from tests.services.gateway.images import GREY

AS_IT_IS = Target("L", None, None, "black", 10**6)

BESIDE_THE_PIXELS = {
    "EXIF that is none": images.png_chunk(b"eXIf", b"hello"),
    "EXIF that ends early": images.png_chunk(b"eXIf", b"II*\0\x08\0\0\0\xff\xff"),
    "a wrong checksum": images.png_chunk(b"tIME", bytes(7), checksum=1),
    "a wrong checksum of transparency": images.png_chunk(b"tRNS", bytes(2), checksum=1),
    "a profile of 2 MB": images.compressed_chunk(b"iCCP", 2_000_000),
    "a profile that is none": images.png_chunk(b"iCCP", b"a\0\0hello"),
    "a text of 2 MB": images.compressed_chunk(b"zTXt", 2_000_000),
    "a text of 100 MB": images.compressed_chunk(b"zTXt", 100_000_000),
    "an international text of 2 MB": images.png_chunk(
        b"iTXt", b"a\0\1\0\0\0" + images.deflated(2_000_000)
    ),
    "an animation of no frames": images.png_chunk(b"acTL", bytes(8)),
    "an animation that ends early": images.png_chunk(b"acTL", bytes(3)),
    "a frame of an animation": images.png_chunk(b"fcTL", bytes(26)),
    "a suggested palette": images.png_chunk(b"sPLT", b"a\0\x08" + bytes(6)),
    "a private chunk": images.png_chunk(b"prVt", bytes(100_000)),
    "another header": images.png_chunk(b"IHDR", bytes(13)),
}


def decode(content: bytes, seconds: float = 60) -> np.ndarray:
    return np.asarray(open_png(content, time.monotonic() + seconds).decode(AS_IT_IS))


@pytest.mark.parametrize("chunk", BESIDE_THE_PIXELS.values(), ids=BESIDE_THE_PIXELS)
def test_damaged_metadata_does_not_decide_whether_the_pixels_are_read(chunk):
    np.testing.assert_array_equal(decode(images.png(GREY, before=[chunk])), GREY)
    np.testing.assert_array_equal(decode(images.png(GREY, after=[chunk])), GREY)


def test_a_photo_is_turned_upright_although_its_metadata_is_damaged():
    exif = images.png_chunk(b"eXIf", images.BROKEN_EXIF)
    upright = np.rot90(GREY[:, :20], -1)
    np.testing.assert_array_equal(decode(images.png(GREY[:, :20], before=[exif])), upright)


@given(
    st.lists(st.sampled_from([b"tEXt", b"IDAT", b"eXIf", b"prVt"]), max_size=5),
    st.integers(1, 150),
)
def test_any_number_of_parts_and_other_chunks_gives_the_same_pixels(kinds, parts):
    chunks = [images.png_chunk(kind) for kind in kinds]
    np.testing.assert_array_equal(decode(images.png(GREY, before=chunks, parts=parts)), GREY)


def test_a_palette_and_its_transparency_belong_to_the_pixels():
    image = images.palette_png([[0, 1]], colours=[(255, 255, 255), (100, 100, 100)], opacity=[0])
    text = images.png_chunk(b"tEXt", b"a\0b")
    end_of_header = 33
    with_text = image[:end_of_header] + text + image[end_of_header:]
    np.testing.assert_array_equal(decode(with_text), [[0, 100]])


@pytest.mark.parametrize(
    "content", [images.png_with_chunks(90_000), images.png(GREY, parts=90_000)]
)
def test_many_chunks_take_no_long_time(content):
    start = time.process_time()
    np.testing.assert_array_equal(decode(content), GREY)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "content", [images.png_with_chunks(1_000_000), images.png(GREY, parts=1_000_000)]
)
def test_a_million_chunks_are_too_many(content):
    with pytest.raises(TooCostly, match="more than 100000 chunks"):
        decode(content)


def test_a_large_picture_is_given_up_at_the_deadline():
    opened = open_png(images.png_bomb(2_000), time.monotonic() + 1)
    time.sleep(1)
    with pytest.raises(OutOfTime):
        opened.decode(AS_IT_IS)
