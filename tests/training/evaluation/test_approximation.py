from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.evaluation.approximation import (
    WIDTHS,
    approximate,
    draw_approximation,
    root_mean_square_error,
    staircase,
    wave,
)


def test_a_function_that_bends_where_the_units_do_is_exact() -> None:
    x = np.linspace(0, 1, 101)
    target = np.abs(x - 0.25) - 2 * np.maximum(0, x - 0.75) + 3

    np.testing.assert_allclose(approximate(target, x, 4), target, atol=1e-10)


@pytest.mark.parametrize(("function", "fall"), [(wave, 500), (staircase, 3)])
def test_more_hidden_units_approximate_more_closely(function: object, fall: float) -> None:
    errors = [root_mean_square_error(function, width) for width in WIDTHS]

    assert errors == sorted(errors, reverse=True)
    assert errors[0] / errors[-1] > fall


def test_the_figure_is_drawn(tmp_path: Path) -> None:
    assert draw_approximation(tmp_path / "figure.png").stat().st_size > 10_000
