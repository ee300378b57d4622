from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from training.evaluation.figure import new_figure, save_figure, show_grey, tile


def test_tiles_stand_row_by_row_with_white_between() -> None:
    images = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)

    sheet = tile(images, columns=2, gap=1)

    white = 255
    np.testing.assert_array_equal(
        sheet,
        [
            [0, 0, white, 1, 1],
            [0, 0, white, 1, 1],
            [white] * 5,
            [2, 2, white, white, white],
            [2, 2, white, white, white],
        ],
    )


def test_the_same_figure_is_the_same_file(tmp_path: Path) -> None:
    for name in ("first.png", "second.png"):
        figure, panels = new_figure(2, 1, 1, 2)
        panels[0, 0].plot([1, 2, 3])
        show_grey(panels[0, 1], np.eye(5) * 255)
        save_figure(figure, tmp_path / "figures" / name)

    first, second = (tmp_path / "figures").iterdir()
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as image:
        assert image.size == (200, 100)
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
