from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from training.data.augmentation import ERASED_AREA, Augmentation, erase, shift_and_flip

SEED = tf.constant([3, 4], tf.int64)


def black(count: int = 2_000, height: int = 28, width: int = 28) -> tf.Tensor:
    return tf.zeros([count, height, width, 1], tf.uint8)


def bounding_boxes(erased: np.ndarray) -> np.ndarray:
    """Heights and widths of what was erased in each image, [N, 2]; noise is rarely black."""
    sides = []
    for image in erased:
        rows, columns = np.nonzero(image)
        sides.append((np.ptp(rows) + 1, np.ptp(columns) + 1))
    return np.array(sides)


def test_half_of_the_images_are_flipped() -> None:
    images = tf.concat([black(), 255 * tf.ones_like(black())], axis=2)

    shifted = shift_and_flip(images, SEED, max_shift=0).numpy()

    flipped = shifted[:, 0, 0, 0] == 255
    assert flipped.mean() == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(shifted[flipped][:, :, ::-1], images.numpy()[flipped])
    np.testing.assert_array_equal(shifted[~flipped], images.numpy()[~flipped])


@pytest.mark.parametrize("max_shift", [1, 4])
def test_shifts_are_evenly_distributed_and_fill_with_black(max_shift: int) -> None:
    images = np.zeros((2_000, 28, 28, 1), np.uint8)
    images[:, 14, 14] = 9

    shifted = shift_and_flip(tf.constant(images), SEED, max_shift).numpy()

    _, rows, _, _ = np.nonzero(shifted)
    assert len(rows) == 2_000
    counts = np.bincount(rows - 14 + max_shift)
    assert len(counts) == 2 * max_shift + 1
    assert counts.min() > 0.6 * counts.max()
    assert shifted.sum() == 9 * 2_000


@pytest.mark.parametrize("probability", [0.25, 1.0])
def test_erasing_has_its_probability(probability: float) -> None:
    erased = erase(black(), SEED, probability).numpy()

    changed = erased.any(axis=(1, 2, 3))
    assert changed.mean() == pytest.approx(probability, abs=0.05)


def test_one_rectangle_of_a_random_area_is_replaced_by_noise() -> None:
    erased = erase(black(), SEED, 1.0).numpy()[..., 0]

    sides = bounding_boxes(erased)
    areas = sides.prod(axis=1) / 28**2
    # Whole pixels, and rectangles that would be longer than the image, change the area.
    assert ERASED_AREA[0] / 2 < areas.min() < 0.05
    assert 0.35 < areas.max() < ERASED_AREA[1] * 1.1
    assert areas.mean() == pytest.approx(np.mean(ERASED_AREA), abs=0.02)
    # No other pixel is changed, and those inside are evenly distributed.
    inside = np.concatenate([image[image > 0] for image in erased])
    assert inside.mean() == pytest.approx(128, abs=1)
    assert len(inside) == pytest.approx(255 / 256 * sides.prod(axis=1).sum(), rel=0.01)


def test_rectangles_are_as_often_tall_as_wide_and_lie_everywhere() -> None:
    erased = erase(black(), SEED, 1.0).numpy()[..., 0]

    heights, widths = bounding_boxes(erased).T
    assert np.mean(heights > widths) == pytest.approx(0.5, abs=0.05)
    covered = (erased > 0).mean(axis=0)
    assert covered.min() > 0
    np.testing.assert_allclose(covered, covered[::-1, ::-1], atol=0.04)


def test_images_that_are_not_square_are_erased_within_their_bounds() -> None:
    erased = erase(black(height=8, width=40), SEED, 1.0).numpy()[..., 0]

    heights, widths = bounding_boxes(erased).T
    assert heights.max() == 8
    assert widths.max() <= 40


def test_the_same_seed_gives_the_same_images() -> None:
    augmentation = Augmentation(max_shift=4, erasing_probability=0.5)

    first, again, other = (augmentation(black(20), seed) for seed in (SEED, SEED, SEED + 1))

    np.testing.assert_array_equal(first, again)
    assert (first != other).numpy().any()
