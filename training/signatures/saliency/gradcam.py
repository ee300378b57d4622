"""Saliency by Grad-CAM: the regions where the last feature map supports a class."""

from __future__ import annotations

import keras
import tensorflow as tf

from training.signatures.feature_maps import feature_maps
from training.signatures.saliency.class_score import saliency_signature
from training.signatures.signature import Signature


def saliency_gradcam(
    model: keras.Model, layer_name: str | None = None, classifier: keras.Model | None = None
) -> Signature:
    """Returns the signature `saliency_gradcam` (Selvaraju et al. 2016, https://arxiv.org/abs/1610.02391).

    Inputs and outputs are those of `saliency_signature`. The attribution is the sum of the layer's
    channels, weighted by their mean gradients, clipped below zero, and resized to the images by
    bilinear interpolation.

    Args:
        model: A functional or sequential classifier from images to logits.
        layer_name: Name of a layer whose output is [N, h, w, F]; None takes the last feature map.
        classifier: The model that determines the top class; None takes `model`.

    Raises:
        ValueError: The model has no convolution or no such layer.
    """
    layer = model.get_layer(layer_name) if layer_name else _last_feature_map(model)
    # One model for both, so that gradients of the logits reach these features.
    with_features = keras.Model(model.inputs[0], [layer.output, model.outputs[0]])
    size = model.input_shape[1:3]

    def attribute(images: tf.Tensor, class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        features, logits = with_features(images, training=False)
        score = tf.gather(logits, class_index, batch_dims=1)
        # Unlike a tape, it adds no operations for the layers before the features.
        [gradient] = tf.gradients(score, features)  # [N, h, w, F]
        weights = tf.reduce_mean(gradient, axis=[1, 2], keepdims=True)
        heat = tf.nn.relu(tf.reduce_sum(weights * features, axis=-1, keepdims=True))
        return {"attribution": tf.squeeze(tf.image.resize(heat, size), axis=-1)}

    return saliency_signature("saliency_gradcam", classifier or model, attribute)


def _last_feature_map(model: keras.Model) -> keras.Layer:
    found = feature_maps(model)
    if not found:
        raise ValueError(f"{model.name!r} has no convolution; expected a convolutional model.")
    return found[-1]
