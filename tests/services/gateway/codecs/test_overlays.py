from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.gateway.codecs.overlays import overlay
from services.gateway.codecs.rendering import SIDE

GENERATOR = np.random.default_rng(5)
IMAGE = GENERATOR.integers(0, 256, (28, 28, 1)).astype(np.float32)


def gaussian_blur(values: np.ndarray, sigma: float) -> np.ndarray:
    reach = np.arange(-5 * round(sigma), 5 * round(sigma) + 1)
    kernel = np.exp(-(reach**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    padded = np.pad(values, len(reach) // 2, mode="edge")
    rows = np.apply_along_axis(np.convolve, 1, padded, kernel, mode="valid")
    return np.apply_along_axis(np.convolve, 0, rows, kernel, mode="valid")


def expected_overlay(image: np.ndarray, attribution: np.ndarray, zoom: int) -> np.ndarray:
    """The course's recipe in numpy, [H * zoom, W * zoom, 3]."""
    block = np.ones((zoom, zoom))
    opacity = gaussian_blur(np.kron(np.abs(attribution), block), zoom)
    opacity = (opacity / opacity.max())[..., np.newaxis]
    picture = np.kron(image[..., 0], block)[..., np.newaxis]
    return (1 - opacity) * picture + opacity * np.array([255.0, 0.0, 0.0])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_it_is_the_courses_recipe(scale):
    attribution = gaussian_blur(GENERATOR.normal(size=(28, 28)), 2.0)
    result = np.asarray(overlay(IMAGE, attribution * scale), np.float64)
    expected = expected_overlay(IMAGE, attribution, 10)
    assert result.shape == expected.shape == (280, 280, 3)
    # Pillow blurs with three box filters, which come close to a Gaussian, and with 8 bits.
    assert np.abs(result - expected).mean() < 2
    assert np.abs(result - expected).max() < 12


def test_the_heat_lies_where_the_attribution_is():
    attribution = np.zeros((28, 28), np.float32)
    attribution[5, 20] = -3
    result = np.asarray(overlay(np.zeros((28, 28, 1)), attribution))
    row, column = np.unravel_index(result[..., 0].argmax(), result.shape[:2])
    assert (row // 10, column // 10) == (5, 20)
    assert result[..., 0].max() == 255
    assert result[200:, :100].max() == 0


def test_without_attribution_the_image_stays_as_it_is():
    result = np.asarray(overlay(IMAGE, np.zeros((28, 28), np.float32)))
    np.testing.assert_array_equal(result[::10, ::10], np.repeat(IMAGE, 3, axis=-1))


@given(
    arrays(np.float32, (4, 6), elements=st.floats(width=32)),
    st.sampled_from([(), (1,), (3,), (4,)]),
)
def test_any_attribution_gives_a_picture(attribution, tail):
    picture = overlay(np.full((4, 6, *tail), 100.0), attribution)
    assert picture.mode == "RGB"
    assert max(picture.size) >= SIDE
    assert picture.size[0] * 4 == picture.size[1] * 6
