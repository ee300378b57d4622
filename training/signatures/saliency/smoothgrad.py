"""Saliency by SmoothGrad: the gradient averaged over noisy copies of the image."""

from __future__ import annotations

import keras
import tensorflow as tf

from training.signatures.saliency.class_score import saliency_signature, weighted_gradient
from training.signatures.signature import Signature

SEED = (0, 0)


def saliency_smoothgrad(
    model: keras.Model, samples: int = 32, noise_level: float = 0.15, at_once: int | None = None
) -> Signature:
    """Returns the signature `saliency_smoothgrad` (Smilkov et al. 2017, https://arxiv.org/abs/1706.03825).

    Inputs and outputs are those of `saliency_signature`. The attribution is the mean signed
    gradient of the class's logit over noisy copies, in logits per grey level, summed over the
    channels. The noise is the same for every image and request, so that results are reproducible.

    Args:
        model: A classifier from images to logits.
        samples: Noisy copies per image.
        noise_level: Standard deviation of the noise, as a share of the image's range of values.
        at_once: Copies that are processed together; None processes all of them.
    """
    weights = tf.fill([samples], 1 / samples)

    def explain_one(image: tf.Tensor, class_index: tf.Tensor) -> tf.Tensor:
        noise = tf.random.stateless_normal([samples, *image.shape], SEED, alg="philox")
        deviation = noise_level * (tf.reduce_max(image) - tf.reduce_min(image))
        copies = image + deviation * noise
        gradient = weighted_gradient(model, copies, weights, class_index, at_once)
        return tf.reduce_sum(gradient, axis=-1)

    def attribute(images: tf.Tensor, class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        # One image at a time: its copies are a batch already, and several would need much memory.
        spec = tf.TensorSpec(model.input_shape[1:3], tf.float32)
        attribution = tf.map_fn(
            lambda pair: explain_one(*pair),
            (images, class_index),
            parallel_iterations=1,
            fn_output_signature=spec,
        )
        return {"attribution": attribution}

    return saliency_signature("saliency_smoothgrad", model, attribute)
