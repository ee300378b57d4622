"""Batches of a `Split` as `tf.data` datasets for Keras."""

from __future__ import annotations

import tensorflow as tf

from training.data.augmentation import Augmentation
from training.data.fashion_mnist import Split


def training_batches(
    examples: Split, batch_size: int, seed: int, augmentation: Augmentation | None = None
) -> tf.data.Dataset:
    """Returns shuffled batches: float32 [B, 28, 28, 1] images, 0 to 255, and uint8 [B] labels.

    Order and augmentation change in every epoch; both follow from the seed.

    Args:
        examples: The training set.
        batch_size: Images per batch.
        seed: Seed of the order and of the augmentation.
        augmentation: How images are augmented; None leaves them unchanged.
    """
    images, labels = _tensors(examples)
    # Shuffling indices and gathering whole batches is several times faster than single images.
    order = tf.data.Dataset.range(len(examples)).shuffle(len(examples), seed=seed)
    dataset = order.batch(batch_size).map(
        lambda batch: (tf.gather(images, batch), tf.gather(labels, batch))
    )
    if augmentation:
        seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
        dataset = tf.data.Dataset.zip(dataset, seeds).map(
            lambda batch, batch_seed: (augmentation(batch[0], batch_seed), batch[1]),
            tf.data.AUTOTUNE,
        )
    return dataset.map(_as_float).prefetch(tf.data.AUTOTUNE)


def evaluation_batches(examples: Split, batch_size: int = 1_000) -> tf.data.Dataset:
    """Returns batches of the same form, in order and unchanged."""
    dataset = tf.data.Dataset.from_tensor_slices(_tensors(examples))
    return dataset.batch(batch_size).map(_as_float)


def _tensors(examples: Split) -> tuple[tf.Tensor, tf.Tensor]:
    images = examples.images
    # Features of a frozen network already have channels.
    images = images[..., None] if images.ndim == 3 else images
    return tf.constant(images), tf.constant(examples.labels)


def _as_float(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(images, tf.float32), labels
