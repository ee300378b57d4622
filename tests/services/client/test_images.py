from __future__ import annotations

import base64
import io

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.client.images import to_files, to_pixels

SIDES = st.integers(1, 9)
SHAPES = st.tuples(SIDES, SIDES) | st.tuples(SIDES, SIDES, st.sampled_from([1, 3, 4]))


def member(content: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(content).decode()}


@given(arrays.arrays(np.uint8, SHAPES))
def test_the_pixels_of_an_array_survive(array):
    [(name, content)] = to_files(array)
    assert name == "array.png"
    expected = array[..., 0] if array.shape[2:] == (1,) else array
    np.testing.assert_array_equal(to_pixels(member(content)), expected)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_a_pillow_image_of_any_mode_is_taken(mode):
    [(name, content)] = to_files(PIL.Image.new(mode, (3, 2)))
    assert name == "image.png"
    assert PIL.Image.open(io.BytesIO(content)).size == (3, 2)


def test_a_photograph_is_turned_upright():
    file = io.BytesIO()
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    PIL.Image.new("RGB", (4, 2)).save(file, "JPEG", exif=exif)
    [(_, content)] = to_files(PIL.Image.open(file))
    assert PIL.Image.open(io.BytesIO(content)).size == (2, 4)


def test_an_array_with_four_dimensions_and_a_generator_are_several():
    assert len(to_files(np.zeros((3, 2, 2, 1), np.uint8))) == 3
    assert len(to_files(bytes([number]) for number in range(2))) == 2


@pytest.mark.parametrize(
    ("array", "received"),
    [
        (np.zeros((2, 2), np.float32), r"float32\[2, 2\]"),
        (np.zeros(4, np.uint8), r"uint8\[4\]"),
        (np.zeros((5, 2, 2), np.uint8), r"uint8\[5, 2, 2\]"),
        (np.zeros((1, 1, 2, 2, 3), np.uint8), r"uint8\[1, 1, 2, 2, 3\]"),
    ],
)
def test_an_array_of_another_form_is_an_error(array, received):
    with pytest.raises(ValueError, match=rf"received an array {received}, expected uint8 \[H, W\]"):
        to_files(array)


@pytest.mark.parametrize("value", [7, [7], [[b"an image"]]])
def test_an_object_of_another_type_is_an_error(value):
    with pytest.raises(TypeError, match=r"received (int|list) as an image, expected a path"):
        to_files(value)


def test_a_path_that_does_not_exist_is_an_error():
    with pytest.raises(FileNotFoundError):
        to_files("nowhere.png")
