"""The maps, against oracles in numpy that hold all masks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest

from services.gateway.inference.perturbation import (
    PATCHES,
    Ask,
    Mask,
    hide,
    occlusion,
    random_masks,
    rise,
)

RANDOM = np.random.default_rng(5)
Score = Callable[[np.ndarray], np.ndarray]


def asker(image: np.ndarray, score: Score) -> Ask:
    """Ask a model that is a function of images [N, ...]."""

    def ask(masks: Iterable[Mask]) -> Iterator[tuple[Mask, float]]:
        for mask in masks:
            yield mask, float(score(hide(image, mask[np.newaxis]))[0])

    return ask


def linear(weights: np.ndarray) -> Score:
    return lambda images: images.reshape(len(images), -1).astype(np.float64) @ weights.ravel()


def interpolate(grid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear interpolation between the centres of the cells, clamped at the borders."""
    for axis, side in enumerate(size):
        count = grid.shape[axis]
        at = np.clip((np.arange(side) + 0.5) * count / side - 0.5, 0, count - 1)
        low = np.floor(at).astype(int)
        high, share = np.minimum(low + 1, count - 1), at - low
        shape = [1, 1]
        shape[axis] = side
        share = share.reshape(shape)
        grid = grid.take(low, axis) * (1 - share) + grid.take(high, axis) * share
    return grid


def background(image: np.ndarray) -> np.ndarray:
    """The median colour of the border."""
    is_border = np.ones(image.shape[:2], bool)
    is_border[1:-1, 1:-1] = False
    # Corners count twice, as ends of a row and of a column.
    corners = image[[0, 0, -1, -1], [0, -1, 0, -1]]
    return np.median(np.concatenate([image[is_border], corners]), axis=0)


def test_what_is_hidden_has_the_colour_of_the_border():
    image = RANDOM.uniform(0, 255, (5, 4, 3)).astype(np.float32)
    masks = RANDOM.uniform(0, 1, (2, 5, 4))
    hidden = hide(image, masks)
    assert hidden.dtype == np.float32
    visible = masks[..., np.newaxis]
    expected = visible * image + (1 - visible) * background(image)
    np.testing.assert_allclose(hidden, expected, rtol=1e-5)


def test_what_is_visible_stays_as_it_is():
    image = RANDOM.uniform(0, 255, (9, 9, 3)).astype(np.float32)
    np.testing.assert_array_equal(hide(image, np.ones((1, 9, 9)))[0], image)


def test_whole_numbers_are_rounded():
    image = np.array([[0, 255]], np.uint8)
    assert hide(image, np.zeros((1, 1, 2))).tolist() == [[[128, 128]]]
    assert hide(image, np.ones((1, 1, 2))).dtype == np.uint8


def test_occlusion_of_a_linear_model_is_known():
    """On 28 × 28, a cell is 2 × 2 pixels, and a patch 4 × 4."""
    image = RANDOM.uniform(0, 255, (28, 28)).astype(np.float32)
    weights = RANDOM.normal(size=(28, 28))
    share = weights * (image - background(image))  # What a pixel adds to the score.
    falls = np.array(
        [
            [share[2 * row :, 2 * column :][:4, :4].sum() for column in range(13)]
            for row in range(13)
        ]
    )
    padded = np.pad(falls, 1, constant_values=np.nan)
    covering = np.stack([padded[:14, :14], padded[1:, :14], padded[:14, 1:], padded[1:, 1:]])
    expected = interpolate(np.nanmean(covering, axis=0), (28, 28))
    attribution = occlusion(asker(image, linear(weights)), (28, 28))
    assert attribution.dtype == np.float32
    np.testing.assert_allclose(attribution, expected, rtol=1e-3, atol=0.05)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 40), (28, 28), (31, 50), (224, 224)])
def test_occlusion_asks_a_limited_number_of_times_and_covers_everything(size):
    image = RANDOM.uniform(0, 255, size).astype(np.float32)
    masks: list[Mask] = []

    def ask(received: Iterable[Mask]) -> Iterator[tuple[Mask, float]]:
        masks.extend(received)
        return iter([(mask, 0.0) for mask in masks])

    assert occlusion(ask, size).shape == image.shape
    whole, *patches = masks
    assert whole.all()
    assert 1 <= len(patches) <= PATCHES
    assert not np.min(patches, axis=0).any()


def test_occlusion_marks_the_part_that_matters():
    image = np.zeros((30, 30), np.float32)
    image[18:24, 6:12] = 255
    attribution = occlusion(
        asker(image, lambda images: images[:, 18:24, 6:12].mean((1, 2))), (30, 30)
    )
    row, column = np.unravel_index(attribution.argmax(), attribution.shape)
    assert 18 <= row < 24
    assert 6 <= column < 12


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (28, 28), (30, 23)])
def test_rise_is_the_mean_score_weighted_by_visibility(size):
    image = RANDOM.uniform(0, 255, size).astype(np.float32)
    weights = RANDOM.normal(size=size)
    masks = np.stack(list(random_masks(size, 100, 3))).astype(np.float64)
    scores = linear(weights)(hide(image, masks))
    with np.errstate(invalid="ignore"):
        expected = np.tensordot(scores, masks, 1) / masks.sum(0) - scores.mean()
    attribution = rise(asker(image, linear(weights)), size, 100, 3)
    assert attribution.dtype == np.float32
    np.testing.assert_allclose(attribution, np.nan_to_num(expected), rtol=1e-3, atol=0.1)


def test_rise_finds_the_weights_of_a_smooth_linear_model():
    """Each pixel's attribution tends to a blurred copy of what it adds to the score."""
    image = np.full((28, 28), 255, np.float32)
    image[:14] = 0
    weights = np.zeros((28, 28))
    weights[20:26, 4:10] = 1
    attribution = rise(asker(image, linear(weights)), (28, 28), 2000, 0)
    row, column = np.unravel_index(attribution.argmax(), attribution.shape)
    assert 19 <= row < 27
    assert 3 <= column < 11
    assert attribution[:14].max() < attribution.max() / 3


def test_rise_depends_on_the_seed_alone():
    image = RANDOM.uniform(0, 255, (28, 28)).astype(np.float32)
    ask = asker(image, linear(RANDOM.normal(size=(28, 28))))
    first = rise(ask, (28, 28), 32, 7)
    np.testing.assert_array_equal(first, rise(ask, (28, 28), 32, 7))
    assert (first != rise(ask, (28, 28), 32, 8)).any()


def test_the_random_masks_are_smooth_grids_of_which_half_is_visible():
    masks = np.stack(list(random_masks((224, 112), 200, 1)))
    assert masks.shape == (200, 224, 112)
    assert masks.min() == 0
    assert masks.max() == 1
    assert abs(masks.mean() - 0.5) < 0.02
    # A cell is 32 × 16 pixels, and the mask goes from 0 to 1 within one.
    assert np.abs(np.diff(masks, axis=1)).max() <= 1 / 32 + 1e-6
    assert np.abs(np.diff(masks, axis=2)).max() <= 1 / 16 + 1e-6


def test_the_masks_are_the_enlarged_and_shifted_grids():
    [mask] = random_masks((28, 14), 1, 9)
    random = np.random.default_rng(9)
    grid = random.integers(0, 2, (8, 8))
    top, left = random.integers(4), random.integers(2)
    expected = interpolate(grid.astype(float), (32, 16))[top : top + 28, left : left + 14]
    np.testing.assert_allclose(mask, expected, atol=1e-6)


def test_a_pixel_that_every_mask_hides_gets_nothing():
    def ask(masks: Iterable[Mask]) -> Iterator[tuple[Mask, float]]:
        return ((np.zeros_like(mask), 1.0) for mask in masks)

    assert not rise(ask, (4, 4), 16, 0).any()


def test_masks_are_made_when_they_are_asked_for():
    """Otherwise they would all be in memory."""
    made = random_masks((2000, 2000), 10**9, 0)
    assert next(made).shape == (2000, 2000)
