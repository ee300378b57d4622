"""Random augmentation of training images: shifts, horizontal flips and random erasing."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

# The ranges of random erasing that Zhong et al. use.
ERASED_AREA = (0.02, 0.4)  # As a share of the image.
ERASED_ASPECT = (0.3, 1 / 0.3)  # Height divided by width.


@dataclass(frozen=True)
class Augmentation:
    """Shifts images, flips half of them and erases parts. The same seed gives the same result.

    Keras's augmentation layers draw from a shared state instead, so that results would depend on
    the order of parallel calls.

    Attributes:
        max_shift: Largest shift in each direction, in pixels: a random crop of the image padded
            by that many black pixels.
        erasing_probability: Probability with which a rectangle of an image is replaced by noise
            (Zhong et al. 2017, https://arxiv.org/abs/1708.04896).
    """

    max_shift: int
    erasing_probability: float = 0.0

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns augmented images.

        Args:
            images: uint8 [N, H, W, C].
            seed: int64 [2].
        """
        images = shift_and_flip(images, seed, self.max_shift)
        if self.erasing_probability:
            images = erase(images, seed + 2, self.erasing_probability)
        return images


def shift_and_flip(images: tf.Tensor, seed: tf.Tensor, max_shift: int) -> tf.Tensor:
    """Shifts images by random whole pixels, and flips half of them horizontally."""
    count, (height, width) = tf.shape(images)[0], images.shape[1:3]
    down, right = tf.unstack(
        tf.random.stateless_uniform([2, count, 1], seed, 0, 2 * max_shift + 1, tf.int32)
    )
    flipped = tf.random.stateless_uniform([count, 1], seed + 1) < 0.5
    columns = tf.where(flipped, tf.range(width)[::-1], tf.range(width))  # [N, W]
    margin = [max_shift, max_shift]
    padded = tf.pad(images, [[0, 0], margin, margin, [0, 0]])
    rows_chosen = tf.gather(padded, tf.range(height) + down, axis=1, batch_dims=1)
    return tf.gather(rows_chosen, columns + right, axis=2, batch_dims=1)


def erase(images: tf.Tensor, seed: tf.Tensor, probability: float) -> tf.Tensor:
    """Replaces a random rectangle of some images by uniform noise."""
    count, (height, width) = tf.shape(images)[0], images.shape[1:3]
    chosen, area, aspect, top, left = tf.unstack(tf.random.stateless_uniform([5, count], seed))
    area = height * width * (ERASED_AREA[0] + area * (ERASED_AREA[1] - ERASED_AREA[0]))
    # Evenly distributed over the logarithm, so that tall and wide rectangles are equally likely.
    aspect = ERASED_ASPECT[0] * (ERASED_ASPECT[1] / ERASED_ASPECT[0]) ** aspect
    rows = _interval(height, tf.sqrt(area * aspect), top)
    columns = _interval(width, tf.sqrt(area / aspect), left)
    erased = (chosen < probability)[:, None, None] & rows[:, :, None] & columns[:, None, :]
    noise = tf.random.stateless_uniform(tf.shape(images), seed + 1, 0, 256, tf.int32)
    return tf.where(erased[..., None], tf.cast(noise, images.dtype), images)


def _interval(size: int, length: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    """Returns which of `size` places lie in each interval, bool [N, size].

    Args:
        size: Number of places.
        length: Length of each interval, float32 [N]; at most `size` is used.
        position: Position of each interval among those that fit, 0 to 1, float32 [N].
    """
    length = tf.minimum(tf.round(length), size)
    start = tf.floor(position * (size - length + 1))
    places = tf.range(size, dtype=tf.float32)
    return (places >= start[:, None]) & (places < (start + length)[:, None])
