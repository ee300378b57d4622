"""Saliency by SmoothGrad: the gradient, averaged over noisy copies of the image."""

from __future__ import annotations

import keras
import tensorflow as tf

from training.signatures.saliency.class_score import class_score_gradient, saliency_signature
from training.signatures.signature import Signature

SEED = (0, 0)


def saliency_smoothgrad(
    model: keras.Model, samples: int = 32, noise_level: float = 0.15
) -> Signature:
    """Makes `saliency_smoothgrad` (Smilkov et al. 2017, https://arxiv.org/abs/1706.03825).

    Inputs and outputs: those of `saliency_signature`. The attribution is the mean gradient of the
    class's logit over noisy copies, in logits a grey level, signed, summed over the channels. The
    noise is the same for every image and every request, so an answer can be repeated.

    Args:
        model: A classifier from images to logits.
        samples: Noisy copies an image.
        noise_level: The noise's standard deviation, as a share of the image's range of values.
    """

    def explain_one(image: tf.Tensor, class_index: tf.Tensor) -> tf.Tensor:
        noise = tf.random.stateless_normal([samples, *image.shape], SEED, alg="philox")
        deviation = noise_level * (tf.reduce_max(image) - tf.reduce_min(image))
        copies = image + deviation * noise
        gradient = class_score_gradient(model, copies, tf.repeat(class_index, samples))
        return tf.reduce_sum(tf.reduce_mean(gradient, axis=0), axis=-1)

    def attribute(images: tf.Tensor, class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        # One image at a time: its copies are a batch already, and many would fill the memory.
        spec = tf.TensorSpec(model.input_shape[1:3], tf.float32)
        attribution = tf.map_fn(
            lambda pair: explain_one(*pair),
            (images, class_index),
            parallel_iterations=1,
            fn_output_signature=spec,
        )
        return {"attribution": attribution}

    return saliency_signature("saliency_smoothgrad", model, attribute)
