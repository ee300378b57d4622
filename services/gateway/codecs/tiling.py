"""Many pictures as one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

from services.gateway.codecs.rendering import SIDE, magnify

_GAP = 4


def contact_sheet(pictures: Sequence[Image.Image]) -> Image.Image:
    """Lay small pictures of one size out as `tile` does, enlarged to be looked at.

    Args:
        pictures: one or more.

    Returns:
        A picture whose longer side is at least `SIDE` pixels.
    """
    columns = math.ceil(math.sqrt(len(pictures)))
    return tile([magnify(picture, math.ceil(SIDE / columns)) for picture in pictures])


def tile(pictures: Sequence[Image.Image]) -> Image.Image:
    """Lay pictures of one size out in rows, as near to a square as can be.

    Args:
        pictures: one or more; a single one comes back as it is.

    Returns:
        A picture of the mode of the first, with a black gap between neighbours.
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
