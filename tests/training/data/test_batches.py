from __future__ import annotations

import numpy as np

from training.data.augmentation import Augmentation
from training.data.batches import evaluation_batches, training_batches
from training.data.fashion_mnist import Split


def make_split(size: int = 30) -> Split:
    """Each image has one bright pixel off the centre; its label is its position."""
    images = np.zeros((size, 28, 28), np.uint8)
    images[np.arange(size), 14, 5] = np.arange(size) + 1
    return Split(images, np.arange(size, dtype=np.uint8))


def collect(batches: object) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(images.numpy(), labels.numpy()) for images, labels in batches]
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


def test_evaluation_sees_every_image_in_order() -> None:
    split = make_split()

    images, labels = collect(evaluation_batches(split, batch_size=7))

    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, split.images[..., None])
    np.testing.assert_array_equal(labels, split.labels)


def test_training_sees_every_image_once_an_epoch_in_a_new_order() -> None:
    batches = training_batches(make_split(), batch_size=8, seed=0)

    first, second = collect(batches), collect(batches)

    assert sorted(first[1]) == sorted(second[1]) == list(range(30))
    assert first[1].tolist() != second[1].tolist()
    np.testing.assert_array_equal(first[0].max(axis=(1, 2, 3)), first[1] + 1)


def test_the_seed_decides_order_and_augmentation() -> None:
    augmentation = Augmentation(max_shift=2, erasing_probability=0.5)

    def first_epoch(seed: int) -> np.ndarray:
        return collect(training_batches(make_split(), 128, seed, augmentation))[0]

    np.testing.assert_array_equal(first_epoch(1), first_epoch(1))
    assert (first_epoch(1) != first_epoch(2)).any()


def test_augmentation_shifts_by_two_pixels_at_most_and_flips() -> None:
    batches = training_batches(make_split(200), 128, 0, Augmentation(max_shift=2))

    images, labels = collect(batches)

    _, rows, columns, _ = np.nonzero(images)
    assert set(rows) == {12, 13, 14, 15, 16}
    assert set(columns) == {3, 4, 5, 6, 7, 20, 21, 22, 23, 24}
    np.testing.assert_array_equal(images.max(axis=(1, 2, 3)), labels + 1)
