"""Combines several pictures into one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

from services.gateway.codecs.rendering import SIDE, magnify

_GAP = 4


def contact_sheet(pictures: Sequence[Image.Image]) -> Image.Image:
    """Enlarges small pictures of one size and arranges them as `tile` does.

    Args:
        pictures: one or more pictures.

    Returns:
        A picture whose longer side is at least `SIDE` pixels.
    """
    columns = math.ceil(math.sqrt(len(pictures)))
    return tile([magnify(picture, math.ceil(SIDE / columns)) for picture in pictures])


def tile(pictures: Sequence[Image.Image]) -> Image.Image:
    """Arranges pictures of one size in rows that come closest to a square.

    Args:
        pictures: one or more pictures; a single one is returned unchanged.

    Returns:
        A picture in the mode of the first, with black gaps between neighbours.
    """
    if len(pictures) == 1:
        return pictures[0]
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    width, height = (side + _GAP for side in pictures[0].size)
    sheet = Image.new(pictures[0].mode, (columns * width - _GAP, rows * height - _GAP))
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet.paste(picture, (column * width, row * height))
    return sheet
