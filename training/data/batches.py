"""Batches of examples as `tf.data` datasets for Keras."""

from __future__ import annotations

import tensorflow as tf

from training.data.augmentation import Augmentation
from training.data.examples import Examples


def training_batches(
    examples: Examples, batch_size: int, seed: int, augmentation: Augmentation | None = None
) -> tf.data.Dataset:
    """Returns shuffled batches of inputs and targets.

    Images are float32 [B, 28, 28, 1], 0 to 255, and their labels uint8 [B].

    Order and augmentation change in every epoch; both follow from the seed.

    Args:
        examples: The training set.
        batch_size: Examples per batch.
        seed: Seed of the order and of the augmentation.
        augmentation: How images are augmented; None leaves them unchanged.
    """
    inputs, targets = map(tf.constant, examples.tensors())
    # Shuffling indices and gathering whole batches is several times faster than single images.
    order = tf.data.Dataset.range(len(examples)).shuffle(len(examples), seed=seed)
    dataset = order.batch(batch_size).map(
        lambda batch: (tf.gather(inputs, batch), tf.gather(targets, batch))
    )
    if augmentation:
        seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
        dataset = tf.data.Dataset.zip(dataset, seeds).map(
            lambda batch, batch_seed: (augmentation(batch[0], batch_seed), batch[1]),
            tf.data.AUTOTUNE,
        )
    return dataset.map(_as_float).prefetch(tf.data.AUTOTUNE)


def evaluation_batches(examples: Examples, batch_size: int = 1_000) -> tf.data.Dataset:
    """Returns batches of the same form, in order and unchanged."""
    dataset = tf.data.Dataset.from_tensor_slices(examples.tensors())
    return dataset.batch(batch_size).map(_as_float)


def _as_float(inputs: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    # Indices of characters or words stay integers.
    return inputs if inputs.dtype == tf.int32 else tf.cast(inputs, tf.float32), targets
