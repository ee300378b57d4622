from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.gateway.inference.latent_space import interpolate

VECTORS = arrays(np.float32, 5, elements=st.floats(-100, 100, width=32))


@given(VECTORS, VECTORS, st.integers(2, 9))
def test_it_starts_and_ends_where_it_is_told(start, end, steps):
    path = interpolate(start, end, steps)
    assert path.shape == (steps, 5)
    assert path.dtype == np.float32
    np.testing.assert_allclose(path[0], start, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(path[-1], end, rtol=1e-4, atol=1e-3)


def test_the_middle_of_a_right_angle_lies_on_the_circle():
    path = interpolate(np.array([2.0, 0.0]), np.array([0.0, 2.0]), 3)
    np.testing.assert_allclose(path[1], [np.sqrt(2), np.sqrt(2)], rtol=1e-6)


@pytest.mark.parametrize("end", [[0.0, 0.0], [3.0, 0.0], [-1.0, 0.0], [1.0, 0.0]])
def test_without_an_angle_it_is_a_straight_line(end):
    path = interpolate(np.array([1.0, 0.0]), np.array(end), 3)
    np.testing.assert_allclose(path[1], (np.array([1.0, 0.0]) + end) / 2, atol=1e-6)
