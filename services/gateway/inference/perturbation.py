"""Saliency from outside: by the scores of a classifier for copies of an image with hidden parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Mask = npt.NDArray[np.floating]
"""[H, W], from 0 where an image is hidden to 1 where it is visible."""

Ask = Callable[[Iterable[Mask]], Iterator[tuple[Mask, float]]]
"""Yields each mask with the score of one class for the image under it."""

PATCHES = 13**2
"""Maximum number of patches of `occlusion`."""

_CELLS = 14
_COARSE_CELLS = 7


def hide(image: npt.NDArray[Any], masks: npt.NDArray[np.floating]) -> npt.NDArray[Any]:
    """Returns copies of an image in which its background colour replaces what a mask hides.

    That is the median colour of its border, which fits any range of pixels. Of a drawing on black
    it is black; of a photograph it is close to the mean colour at its edges.

    Args:
        image: [H, W, C] or [H, W].
        masks: [N, H, W].

    Returns:
        [N, H, W, C] or [N, H, W], in the image's dtype.
    """
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    background = np.median(border, axis=0).astype(np.float32)
    visible = masks.reshape(*masks.shape, *[1] * (image.ndim - 2)).astype(np.float32)
    # Written so that a mask of ones gives the image itself.
    copies: npt.NDArray[Any] = image * visible + background * (1 - visible)
    if image.dtype.kind in "iu":
        np.rint(copies, out=copies)
    return copies.astype(image.dtype, copy=False)


def occlusion(ask: Ask, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Returns how much the score falls where a patch covers the image.

    The image is divided into at most 14 × 14 cells. A patch of 2 × 2 cells moves over it, one cell
    at a time; the attribution of a cell is the mean fall under the patches that cover it.

    Source: Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, 2013,
    https://arxiv.org/abs/1311.2901.

    Args:
        ask: tells the scores.
        size: height and width of the image.

    Returns:
        [H, W], interpolated between the centres of the cells.
    """
    edges = [np.linspace(0, side, min(side, _CELLS) + 1).round().astype(int) for side in size]
    cells = [len(each) - 1 for each in edges]
    corners = list(product(*(range(max(count - 1, 1)) for count in cells)))

    def masks() -> Iterator[Mask]:
        yield np.ones(size, np.float32)
        for corner in corners:
            mask = np.ones(size, np.float32)
            (top, bottom), (left, right) = (
                (at[first], at[min(first + 2, count)])
                for at, first, count in zip(edges, corner, cells, strict=True)
            )
            mask[top:bottom, left:right] = 0
            yield mask

    score, *covered = (score for _, score in ask(masks()))
    falls, patches = np.zeros(cells), np.zeros(cells)
    for (row, column), score_covered in zip(corners, covered, strict=True):
        falls[row : row + 2, column : column + 2] += score - score_covered
        patches[row : row + 2, column : column + 2] += 1
    return _interpolate(falls / patches, size)


def rise(ask: Ask, size: tuple[int, int], mask_count: int, seed: int) -> npt.NDArray[np.float32]:
    """Returns how much higher than its mean the score is where a pixel is visible.

    Random masks hide about half of the image. As in the paper, the attribution of a pixel is the
    mean score over the masks, weighted by its visibility; less the mean of all scores, so that it
    is negative where a pixel speaks against the class.

    Source: Petsiuk et al., RISE: Randomized Input Sampling for Explanation of Black-box Models,
    2018, https://arxiv.org/abs/1806.07421.

    Args:
        ask: tells the scores.
        size: height and width of the image.
        mask_count: number of masks.
        seed: determines the masks.

    Returns:
        [H, W].
    """
    total, weighted, visible = 0.0, np.zeros(size), np.zeros(size)
    for mask, score in ask(random_masks(size, mask_count, seed)):
        total += score
        weighted += score * mask
        visible += mask
    # A pixel that every mask hides gets 0.
    excess = weighted - visible * total / mask_count
    return (excess / np.maximum(visible, np.finfo(np.float32).tiny)).astype(np.float32)


def random_masks(size: tuple[int, int], count: int, seed: int) -> Iterator[Mask]:
    """Yields the masks of RISE: random grids, enlarged smoothly and shifted by part of a cell."""
    random = np.random.default_rng(seed)
    height, width = size
    cell_height, cell_width = (-(-side // _COARSE_CELLS) for side in size)
    cells = _COARSE_CELLS + 1
    for _ in range(count):
        grid = random.integers(0, 2, (cells, cells))
        top, left = random.integers(cell_height), random.integers(cell_width)
        enlarged = _interpolate(grid, (cells * cell_height, cells * cell_width))
        yield enlarged[top : top + height, left : left + width]


def _interpolate(grid: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    height, width = size
    picture = Image.fromarray(grid.astype(np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
