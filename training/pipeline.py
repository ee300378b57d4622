"""Feeds a `Split` to Keras: shuffled, augmented, batched."""

from __future__ import annotations

import tensorflow as tf

from training.data import Split
from training.recipe import Recipe

MAX_SHIFT = 2  # pixels


def training_batches(examples: Split, recipe: Recipe) -> tf.data.Dataset:
    """Returns batches of float32 [B, 28, 28, 1] images, 0 to 255, and uint8 [B] labels.

    Every epoch has another order and another augmentation; both follow from the recipe's seed.
    """
    dataset = tf.data.Dataset.from_tensor_slices((examples.images[..., None], examples.labels))
    dataset = dataset.shuffle(len(examples), seed=recipe.seed)
    if recipe.augment:
        seeds = tf.data.Dataset.random(recipe.seed, rerandomize_each_iteration=True).batch(2)
        dataset = tf.data.Dataset.zip(dataset, seeds).map(_augment, tf.data.AUTOTUNE)
    return dataset.batch(recipe.batch_size).map(_as_float).prefetch(tf.data.AUTOTUNE)


def evaluation_batches(examples: Split, batch_size: int = 1_000) -> tf.data.Dataset:
    """Returns the same batches, in order and as they are."""
    dataset = tf.data.Dataset.from_tensor_slices((examples.images[..., None], examples.labels))
    return dataset.batch(batch_size).map(_as_float)


def _augment(example: tuple[tf.Tensor, tf.Tensor], seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    image, label = example
    margin = [MAX_SHIFT, MAX_SHIFT]
    shifted = tf.image.stateless_random_crop(
        tf.pad(image, [margin, margin, [0, 0]]), image.shape, seed
    )
    return tf.image.stateless_random_flip_left_right(shifted, seed), label


def _as_float(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(images, tf.float32), labels
