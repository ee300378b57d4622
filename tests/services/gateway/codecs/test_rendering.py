from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from services.gateway.codecs.rendering import channel_pictures, magnify, to_picture


def test_a_picture_keeps_colours_and_clips_what_is_outside():
    image = np.array([[[-5.0, 127.4, 300.0]]])
    np.testing.assert_array_equal(np.asarray(to_picture(image)), [[[0, 127, 255]]])


@pytest.mark.parametrize("tail", [(), (1,)])
def test_a_grey_image_is_a_grey_picture(tail):
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    picture = to_picture(pixels.reshape(2, 3, *tail))
    assert picture.mode == "L"
    np.testing.assert_array_equal(np.asarray(picture), pixels)


def test_opacity_is_left_out_and_nan_is_black():
    image = np.array([[[1.0, np.nan, np.inf, 9.0]]])
    np.testing.assert_array_equal(np.asarray(to_picture(image)), [[[1, 0, 255]]])


def test_all_channels_of_a_layer_share_one_scale():
    maps = np.stack([np.full((2, 2), 0.0), np.full((2, 2), 1.0), np.full((2, 2), 4.0)], axis=-1)
    pictures = channel_pictures(maps)
    assert [np.unique(np.asarray(picture)).tolist() for picture in pictures] == [[0], [64], [255]]


def test_a_sequence_is_one_picture_and_a_vector_a_square():
    sequence = np.array([[0.0, 1.0, 2.0]])
    [picture] = channel_pictures(sequence)
    np.testing.assert_array_equal(np.asarray(picture), [[0, 128, 255]])
    [picture] = channel_pictures(np.array([0.0, 1.0, 2.0]))
    np.testing.assert_array_equal(np.asarray(picture), [[0, 128], [255, 0]])


def test_arrays_with_too_many_dimensions_are_refused():
    with pytest.raises(ValueError, match="4 dimensions"):
        channel_pictures(np.zeros((1, 2, 3, 4)))


@given(arrays(np.float32, array_shapes(min_dims=1, max_dims=3, max_side=5)))
def test_any_numbers_give_pictures(activation):
    for picture in channel_pictures(activation):
        assert picture.mode == "L"


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
def test_enlarging_is_by_the_smallest_whole_number(width, height, side):
    picture = magnify(Image.new("L", (width, height)), side)
    zoom = picture.width // width
    assert picture.size == (width * zoom, height * zoom)
    assert max(picture.size) >= side
    assert zoom == 1 or (zoom - 1) * max(width, height) < side
