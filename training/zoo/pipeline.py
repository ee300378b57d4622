"""Feeds a `Split` to Keras: shuffled, batched, augmented."""

from __future__ import annotations

import tensorflow as tf

from training.data.fashion_mnist import Split
from training.zoo.recipe import Recipe

MAX_SHIFT = 2  # pixels


def training_batches(examples: Split, recipe: Recipe) -> tf.data.Dataset:
    """Returns batches of float32 [B, 28, 28, 1] images, 0 to 255, and uint8 [B] labels.

    Every epoch has another order and another augmentation; both follow from the recipe's seed.
    """
    images, labels = _tensors(examples)
    # Shuffling numbers and gathering whole batches is several times faster than single images.
    order = tf.data.Dataset.range(len(examples)).shuffle(len(examples), seed=recipe.seed)
    dataset = order.batch(recipe.batch_size).map(
        lambda batch: (tf.gather(images, batch), tf.gather(labels, batch))
    )
    if recipe.augment:
        seeds = tf.data.Dataset.random(recipe.seed, rerandomize_each_iteration=True).batch(2)
        dataset = tf.data.Dataset.zip(dataset, seeds).map(_augment, tf.data.AUTOTUNE)
    return dataset.map(_as_float).prefetch(tf.data.AUTOTUNE)


def evaluation_batches(examples: Split, batch_size: int = 1_000) -> tf.data.Dataset:
    """Returns the same batches, in order and as they are."""
    dataset = tf.data.Dataset.from_tensor_slices(_tensors(examples))
    return dataset.batch(batch_size).map(_as_float)


def _tensors(examples: Split) -> tuple[tf.Tensor, tf.Tensor]:
    images = examples.images
    # Features of a frozen network have channels of their own.
    images = images[..., None] if images.ndim == 3 else images
    return tf.constant(images), tf.constant(examples.labels)


def _augment(batch: tuple[tf.Tensor, tf.Tensor], seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    images, labels = batch
    count, (height, width) = tf.shape(images)[0], images.shape[1:3]
    down, right = tf.unstack(
        tf.random.stateless_uniform([2, count, 1], seed, 0, 2 * MAX_SHIFT + 1, tf.int32)
    )
    mirrored = tf.random.stateless_uniform([count, 1], seed + 1) < 0.5
    columns = tf.where(mirrored, tf.range(width)[::-1], tf.range(width))  # [B, W]
    margin = [MAX_SHIFT, MAX_SHIFT]
    padded = tf.pad(images, [[0, 0], margin, margin, [0, 0]])
    rows_chosen = tf.gather(padded, tf.range(height) + down, axis=1, batch_dims=1)
    return tf.gather(rows_chosen, columns + right, axis=2, batch_dims=1), labels


def _as_float(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(images, tf.float32), labels
