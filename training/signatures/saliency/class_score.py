"""The class score that all saliency methods explain: the logit of one class."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from training.signatures.shared_functions import logits_of, score_gradient_of
from training.signatures.signature import (
    Signature,
    example_images,
    images_spec,
    make_signature,
)

TOP_CLASS = -1


def saliency_signature(
    name: str,
    model: keras.Model,
    attribute: Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]],
) -> Signature:
    """Returns the signature of a saliency method.

    Inputs: `images` float32 [N, H, W, C], 0 to 255; `class_index` int32 [N], -1 for the top class.
    An index outside the classes fails the request with INVALID_ARGUMENT.
    Outputs: `class_index` int32 [N], the explained class, and the outputs of the method, including
    `attribution` float32 [N, H, W].

    Args:
        name: Name of the signature.
        model: A classifier from images to K logits.
        attribute: The method: from images and class indices, 0 to K-1, to its outputs.
    """

    def explain(images: tf.Tensor, class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        class_index = resolve_class_index(logits_of(model)(images), class_index)
        return {**attribute(images, class_index), "class_index": class_index}

    specs = [images_spec(model), tf.TensorSpec([None], tf.int32, name="class_index")]
    example = {"images": example_images(model), "class_index": np.array([TOP_CLASS], np.int32)}
    return make_signature(name, explain, specs, example)


def resolve_class_index(logits: tf.Tensor, class_index: tf.Tensor) -> tf.Tensor:
    """Replaces -1 by the top class, and fails if an index is outside the classes.

    Args:
        logits: float32 [N, K].
        class_index: int32 [N].

    Returns:
        int32 [N], each from 0 to K-1.
    """
    class_count = logits.shape[-1]
    inside = (class_index >= TOP_CLASS) & (class_index < class_count)
    expected = f"class_index must be -1 (the top class) or 0 to {class_count - 1}; received"
    # Out of range, gather fails on a CPU but silently returns zero on a GPU.
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.reduce_all(inside), [expected, class_index])]
    ):
        top_class = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return tf.where(class_index == TOP_CLASS, top_class, class_index)


def class_score(model: keras.Model, images: tf.Tensor, class_index: tf.Tensor) -> tf.Tensor:
    """Returns the logit of each image's class, float32 [N].

    Args:
        model: A classifier from images to K logits.
        images: float32 [N, H, W, C].
        class_index: int32 [N], 0 to K-1.
    """
    return tf.gather(logits_of(model)(images), class_index, batch_dims=1)


def weighted_gradient(
    model: keras.Model,
    images: tf.Tensor,
    weights: tf.Tensor,
    class_index: tf.Tensor,
    at_once: int | None = None,
) -> tf.Tensor:
    """Returns the sum of the weighted gradients of one class's logit, float32 [H, W, C].

    Args:
        model: A classifier from images to K logits.
        images: float32 [M, H, W, C].
        weights: Weight of each image, float32 [M].
        class_index: int32 [], 0 to K-1.
        at_once: Images that are processed together; None processes all of them.
    """

    def of_some(some: tf.Tensor, some_weights: tf.Tensor) -> tf.Tensor:
        indices = tf.repeat(class_index, tf.shape(some)[0])
        return tf.tensordot(some_weights, score_gradient_of(model)(some, indices), axes=1)

    count = images.shape[0]
    if at_once is None or at_once >= count:
        return of_some(images, weights)

    def add(start: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        end = start + at_once
        return end, total + of_some(images[start:end], weights[start:end])

    loop = (tf.constant(0), tf.zeros_like(images[0]))
    return tf.while_loop(lambda start, _: start < count, add, loop, parallel_iterations=1)[1]
