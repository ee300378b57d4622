"""Saliency by Grad-CAM: where the last convolution sees evidence for a class."""

from __future__ import annotations

import keras
import tensorflow as tf

from training.signatures.layers import feature_maps
from training.signatures.saliency.class_score import saliency_signature
from training.signatures.signature import Signature


def saliency_gradcam(
    model: keras.Model, layer_name: str | None = None, classifier: keras.Model | None = None
) -> Signature:
    """Makes `saliency_gradcam` (Selvaraju et al. 2016, https://arxiv.org/abs/1610.02391).

    Inputs and outputs: those of `saliency_signature`. The attribution is the sum of the layer's
    channels, each weighted by its mean gradient, cut off below zero, and brought to the images'
    size by bilinear interpolation.

    Args:
        model: A functional or sequential classifier from images to logits.
        layer_name: A layer whose output is [N, h, w, F]; None takes the last feature map.
        classifier: What chooses the top class where none is named; None takes the model.

    Raises:
        ValueError: The model has no convolution, or no layer of that name.
    """
    layer = model.get_layer(layer_name) if layer_name else _last_feature_map(model)
    # The logits too come from this model: the gradient runs from them to these very features.
    halves = keras.Model(model.inputs[0], [layer.output, model.outputs[0]])
    size = model.input_shape[1:3]

    def attribute(images: tf.Tensor, class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            features, logits = halves(images, training=False)
            score = tf.gather(logits, class_index, batch_dims=1)
        gradient = tape.gradient(score, features)  # [N, h, w, F]
        weights = tf.reduce_mean(gradient, axis=[1, 2], keepdims=True)
        heat = tf.nn.relu(tf.reduce_sum(weights * features, axis=-1, keepdims=True))
        return {"attribution": tf.squeeze(tf.image.resize(heat, size), axis=-1)}

    return saliency_signature("saliency_gradcam", classifier or model, attribute)


def _last_feature_map(model: keras.Model) -> keras.Layer:
    found = feature_maps(model)
    if not found:
        raise ValueError(f"{model.name!r} has no convolution, so there is no map to show.")
    return found[-1]
