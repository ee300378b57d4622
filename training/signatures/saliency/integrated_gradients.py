"""Saliency by integrated gradients: each pixel's share of a logit, relative to a black image."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.signatures.saliency.class_score import (
    class_score,
    saliency_signature,
    weighted_gradient,
)
from training.signatures.signature import Signature

Quadrature = Callable[[int], tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]
"""From a number of nodes to the nodes of the integral from 0 to 1, and their weights."""


def gauss_legendre(count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Returns the best nodes for a smooth function."""
    nodes, weights = np.polynomial.legendre.leggauss(count)  # On [-1, 1].
    return (nodes + 1) / 2, weights / 2


def near_zero(count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Returns nodes that are dense near zero: the midpoint rule for x = t³.

    The logits of deep networks for photographs change most while an image is still almost black.
    """
    t = (np.arange(count) + 0.5) / count
    return t**3, 3 * t**2 / count


def saliency_integrated_gradients(
    model: keras.Model,
    steps: int = 128,
    at_once: int | None = None,
    quadrature: Quadrature = gauss_legendre,
) -> Signature:
    """Returns the signature `saliency_integrated_gradients`.

    The method: Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365. Inputs and outputs are
    those of `saliency_signature`, and `convergence_delta` float32 [N]. The attributions are signed
    and in logits, summed over the channels: each pixel's share of the difference between the logits
    of the image and of a black image. The convergence delta is the sum of the attributions minus
    that difference; it is not zero because the integral is approximated.

    Args:
        model: A classifier from images to logits.
        steps: Nodes of the quadrature.
        at_once: Nodes that are processed together; None processes all of them.
        quadrature: The nodes and their weights.
    """
    positions, weights = (tf.constant(values, tf.float32) for values in quadrature(steps))

    def explain_one(image: tf.Tensor, class_index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        path = tf.tensordot(positions, image, axes=0)  # [steps, H, W, C]
        gradient = weighted_gradient(model, path, weights, class_index, at_once)
        attribution = tf.reduce_sum(image * gradient, axis=-1)
        ends = tf.stack([tf.zeros_like(image), image])
        start, end = tf.unstack(class_score(model, ends, tf.repeat(class_index, 2)))
        return attribution, tf.reduce_sum(attribution) - (end - start)

    def attribute(images: tf.Tensor, class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        # One image at a time: its path is a batch already, and several would need much memory.
        spec = (tf.TensorSpec(model.input_shape[1:3], tf.float32), tf.TensorSpec([], tf.float32))
        attribution, delta = tf.map_fn(
            lambda pair: explain_one(*pair),
            (images, class_index),
            parallel_iterations=1,
            fn_output_signature=spec,
        )
        return {"attribution": attribution, "convergence_delta": delta}

    return saliency_signature("saliency_integrated_gradients", model, attribute)
