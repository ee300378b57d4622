from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.gateway.codecs.image_files.exif import read_orientation
from tests.hostile.images import BROKEN_EXIF


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("header", [b"", b"Exif\0\0"])
def test_the_orientation_is_read_from_what_cameras_write(orientation, header):
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[0x0112] = orientation
    assert read_orientation(header + exif.tobytes().removeprefix(b"Exif\0\0")) == orientation


def test_it_is_read_beside_damaged_values():
    assert read_orientation(BROKEN_EXIF) == 6


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_unknown_orientation_is_upright(orientation):
    entry = struct.pack("<HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    assert read_orientation(b"II*\0\x08\0\0\0" + entry) == 1


@given(st.binary(max_size=40), st.sampled_from([b"", b"II*\0", b"MM\0*", b"Exif\0\0II*\0"]))
def test_any_bytes_have_an_orientation(exif, header):
    assert 1 <= read_orientation(header + exif) <= 8
