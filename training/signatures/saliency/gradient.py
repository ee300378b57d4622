"""Saliency by the gradient of a class's logit with respect to each pixel."""

from __future__ import annotations

import keras
import tensorflow as tf

from training.signatures.saliency.class_score import saliency_signature
from training.signatures.shared_functions import score_gradient_of
from training.signatures.signature import Signature


def saliency_gradient(model: keras.Model) -> Signature:
    """Returns the signature `saliency_gradient` (Simonyan et al. 2013, https://arxiv.org/abs/1312.6034).

    Inputs and outputs are those of `saliency_signature`. The attribution is the signed gradient of
    the class's logit, in logits per grey level, summed over the channels.

    Args:
        model: A classifier from images to logits.
    """

    def attribute(images: tf.Tensor, class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        gradient = score_gradient_of(model)(images, class_index)
        return {"attribution": tf.reduce_sum(gradient, axis=-1)}

    return saliency_signature("saliency_gradient", model, attribute)
