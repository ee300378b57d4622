from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from services.gateway.codecs.rendering import SIDE
from services.gateway.codecs.tiling import contact_sheet, tile


def test_a_single_picture_comes_back_as_it_is():
    picture = Image.new("RGB", (3, 2), "red")
    assert tile([picture]) is picture


@pytest.mark.parametrize(
    ("count", "size"), [(2, (24, 10)), (3, (24, 24)), (4, (24, 24)), (5, (38, 24)), (10, (52, 38))]
)
def test_pictures_lie_in_rows_near_a_square(count, size):
    sheet = tile([Image.new("L", (10, 10), 1 + index) for index in range(count)])
    assert sheet.size == size
    pixels = np.asarray(sheet)
    columns = (size[0] + 4) // 14
    for index in range(count):
        row, column = divmod(index, columns)
        assert (pixels[row * 14 : row * 14 + 10, column * 14 : column * 14 + 10] == 1 + index).all()


@pytest.mark.parametrize("count", [1, 2, 5, 64])
def test_a_sheet_of_small_pictures_is_large_enough_to_look_at(count):
    pictures = [Image.new("L", (28, 20), index) for index in range(count)]
    sheet = contact_sheet(pictures)
    assert SIDE <= max(sheet.size) < 3 * SIDE
    assert [value for _, value in sheet.getcolors()] == list(range(count))
