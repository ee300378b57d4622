"""The saliency task: how much each pixel moves the logit of a class."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from training.signatures.signature import Signature, example_images, images_spec

TOP_CLASS = -1


def saliency_gradient(model: keras.Model) -> Signature:
    """Makes `saliency_gradient` (Simonyan et al. 2013, https://arxiv.org/abs/1312.6034).

    Inputs: `images` float32 [N, H, W, C], 0 to 255; `class_index` int32 [N], -1 for the class
    that the model prefers. An index outside fails the request with INVALID_ARGUMENT.
    Outputs: `attribution` float32 [N, H, W], the gradient of the class's logit, in logits a grey
    level, signed, summed over the channels; `class_index` int32 [N], the class that was explained.

    Args:
        model: A classifier from images to logits.
    """

    def explain(images: tf.Tensor, class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = model(images, training=False)
            class_index = resolve_class_index(logits, class_index)
            scores = tf.gather(logits, class_index, batch_dims=1)
        gradient = tape.gradient(scores, images)  # [N, H, W, C]
        return {"attribution": tf.reduce_sum(gradient, axis=-1), "class_index": class_index}

    function = tf.function(explain, input_signature=[images_spec(model), class_index_spec()])
    example = {"images": example_images(model), "class_index": np.array([TOP_CLASS], np.int32)}
    return Signature("saliency_gradient", function, example)


def class_index_spec() -> tf.TensorSpec:
    """Returns the spec of a `class_index` input: int32 [N], -1 for the top class."""
    return tf.TensorSpec([None], tf.int32, name="class_index")


def resolve_class_index(logits: tf.Tensor, class_index: tf.Tensor) -> tf.Tensor:
    """Puts the top class where -1 was asked for, and refuses an index that is no class.

    Args:
        logits: float32 [N, K].
        class_index: int32 [N].

    Returns:
        int32 [N], each from 0 to K-1.
    """
    class_count = logits.shape[-1]
    inside = (class_index >= TOP_CLASS) & (class_index < class_count)
    expected = f"class_index must be -1 (the top class) or 0 to {class_count - 1}; received"
    # A gather out of range is an error on a CPU, but zero without a word on a GPU.
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.reduce_all(inside), [expected, class_index])]
    ):
        top_class = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return tf.where(class_index == TOP_CLASS, top_class, class_index)
