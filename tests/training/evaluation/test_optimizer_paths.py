from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.errors import UnknownNameError
from training.evaluation.optimizer_paths import (
    LEARNING_RATES,
    START,
    draw_optimizer_paths,
    slope,
    valley,
    walk,
)


def test_the_slope_is_the_valleys() -> None:
    point, step = np.array([-3.0, 0.7]), 1e-5
    differences = [
        (valley(*(point + shift)) - valley(*(point - shift))) / (2 * step)
        for shift in step * np.eye(2)
    ]

    np.testing.assert_allclose(slope(point), differences, rtol=1e-5)


def test_gradient_descent_walks_as_the_textbook_says() -> None:
    expected = [np.array(START)]
    for _ in range(5):
        x, y = expected[-1]
        expected.append(np.array([x - 0.009 * x**3 / 25, y - 0.009 * 200 * y]))

    np.testing.assert_allclose(walk("sgd", 0.009, steps=5), expected, rtol=1e-5)


@pytest.mark.parametrize("name", LEARNING_RATES)
def test_every_optimizer_gets_far_down_inside_the_picture(name: str) -> None:
    path = walk(name, LEARNING_RATES[name], steps=40)

    assert valley(*path[-1]) < valley(*START) / 20
    assert np.abs(path[:, 1]).max() < 1.3
    assert -8 < path[:, 0].min() <= path[:, 0].max() < 4


def test_the_picture_has_a_coloured_path_in_each_panel(tmp_path: Path) -> None:
    path = draw_optimizer_paths(tmp_path / "figures" / "optimizers.png")

    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    orange = (pixels[..., 0] > 200) & (pixels[..., 2] < 60)
    rows, columns = np.array_split(orange, 2), 3
    counts = [int(panel.sum()) for row in rows for panel in np.array_split(row, columns, axis=1)]
    assert min(counts) > 300, counts


def test_an_unknown_optimizer_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no optimizer named 'best'\. Known: sgd"):
        walk("best", 0.1)
