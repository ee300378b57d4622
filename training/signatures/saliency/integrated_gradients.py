"""Saliency by integrated gradients: the logit's rise over a black image, shared among pixels."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from training.signatures.saliency.class_score import (
    class_score,
    saliency_signature,
    weighted_gradient,
)
from training.signatures.signature import Signature


def saliency_integrated_gradients(
    model: keras.Model, steps: int = 128, at_once: int | None = None
) -> Signature:
    """Makes `saliency_integrated_gradients` (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365).

    Inputs and outputs: those of `saliency_signature`, and `convergence_delta` float32 [N]. The
    attribution is in logits, signed, summed over the channels: the pixels' shares of the class's
    logit, less that of a black image. The convergence delta is by how much the shares miss that
    sum; the integral is approximated, by Gauss-Legendre quadrature.

    Args:
        model: A classifier from images to logits.
        steps: Nodes of the quadrature.
        at_once: How many of them are in memory together; None takes all of them.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # On [-1, 1].
    positions = tf.constant((nodes + 1) / 2, tf.float32)
    weights = tf.constant(weights / 2, tf.float32)

    def explain_one(image: tf.Tensor, class_index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        path = tf.tensordot(positions, image, axes=0)  # [steps, H, W, C]
        gradient = weighted_gradient(model, path, weights, class_index, at_once)
        attribution = tf.reduce_sum(image * gradient, axis=-1)
        ends = tf.stack([tf.zeros_like(image), image])
        start, end = tf.unstack(class_score(model, ends, tf.repeat(class_index, 2)))
        return attribution, tf.reduce_sum(attribution) - (end - start)

    def attribute(images: tf.Tensor, class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        # One image at a time: its path is a batch already, and many would fill the memory.
        spec = (tf.TensorSpec(model.input_shape[1:3], tf.float32), tf.TensorSpec([], tf.float32))
        attribution, delta = tf.map_fn(
            lambda pair: explain_one(*pair),
            (images, class_index),
            parallel_iterations=1,
            fn_output_signature=spec,
        )
        return {"attribution": attribution, "convergence_delta": delta}

    return saliency_signature("saliency_integrated_gradients", model, attribute)
